//! The 256 colours of a GIF.

use std::collections::HashMap;

/// At most 256 colours and which of them stands for which.
pub(crate) struct Indexed {
    pub(crate) colours: Vec<[u8; 3]>,
    index: HashMap<[u8; 3], u8>,
}

impl Indexed {
    /// A palette for weighted colours: exact if they are at most `room`, else by median cut (Heckbert 1982).
    ///
    /// The same counts give the same palette.
    pub(crate) fn new(counts: HashMap<[u8; 3], u64>, room: usize) -> Self {
        let mut colours: Vec<([u8; 3], u64)> = counts.into_iter().collect();
        colours.sort_unstable();
        let mut boxes = vec![colours];
        if boxes[0].len() <= room {
            boxes = boxes.remove(0).into_iter().map(|c| vec![c]).collect();
        }
        while boxes.len() < room {
            // The box with the largest spread of colour, each pixel counted, gains most from a cut.
            let worth = |b: &Vec<([u8; 3], u64)>| {
                let (_, range) = widest(b);
                let pixels: u64 = b.iter().map(|c| c.1).sum();
                u64::from(range) * u64::from(range) * pixels
            };
            let Some((at, _)) = boxes
                .iter()
                .enumerate()
                .filter(|(_, b)| b.len() > 1)
                .max_by_key(|(i, b)| (worth(b), usize::MAX - i))
            else {
                break;
            };
            let mut one = std::mem::take(&mut boxes[at]);
            let (axis, _) = widest(&one);
            one.sort_unstable_by_key(|c| (c.0[axis], c.0));
            let half = one.iter().map(|c| c.1).sum::<u64>() / 2;
            let mut seen = 0;
            let cut = one
                .iter()
                .position(|c| {
                    seen += c.1;
                    seen > half
                })
                .unwrap_or(0)
                .clamp(1, one.len() - 1);
            let two = one.split_off(cut);
            boxes[at] = one;
            boxes.push(two);
        }
        let mut out = Self {
            colours: Vec::new(),
            index: HashMap::new(),
        };
        for b in boxes.iter().filter(|b| !b.is_empty()) {
            let total: u64 = b.iter().map(|c| c.1).sum();
            let mean = std::array::from_fn(|i| {
                let sum: u64 = b.iter().map(|c| u64::from(c.0[i]) * c.1).sum();
                ((sum + total / 2) / total) as u8
            });
            let at = out.colours.len() as u8;
            out.colours.push(mean);
            out.index.extend(b.iter().map(|c| (c.0, at)));
        }
        out
    }

    pub(crate) fn of(&self, colour: [u8; 3]) -> u8 {
        self.index.get(&colour).copied().unwrap_or(0)
    }
}

/// The channel in which a box is widest, and how wide.
fn widest(colours: &[([u8; 3], u64)]) -> (usize, u8) {
    (0..3)
        .map(|i| {
            let values = colours.iter().map(|c| c.0[i]);
            let range = values.clone().max().unwrap_or(0) - values.min().unwrap_or(0);
            (i, range)
        })
        .max_by_key(|&(i, range)| (range, 2 - i))
        .unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colours_are_exact() {
        let counts: HashMap<[u8; 3], u64> = (0..=255).map(|v| ([v; 3], 1)).collect();
        let p = Indexed::new(counts, 256);
        assert!((0..=255u8).all(|v| p.colours[usize::from(p.of([v; 3]))] == [v; 3]));
    }

    #[test]
    fn many_colours_are_near() {
        let counts: HashMap<[u8; 3], u64> = (0..4096u32)
            .map(|i| {
                (
                    [
                        (i & 15) as u8 * 17,
                        (i >> 4 & 15) as u8 * 17,
                        (i >> 8) as u8 * 17,
                    ],
                    1,
                )
            })
            .collect();
        let p = Indexed::new(counts.clone(), 256);
        assert_eq!(p.colours.len(), 256);
        for c in counts.keys() {
            let near = p.colours[usize::from(p.of(*c))];
            assert!(
                (0..3).all(|i| c[i].abs_diff(near[i]) <= 43),
                "{c:?} → {near:?}"
            );
        }
    }
}
