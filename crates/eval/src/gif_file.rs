use std::{borrow::Cow, collections::HashMap, path::Path};

use crate::{EvalError, Pixels, palette::Indexed};

/// An endless animation as the bytes of a GIF file. The same frames give the same bytes.
///
/// All frames share one palette: exact up to 256 colours (so grey pictures always are), else the best 255 by median
/// cut. Later frames store only the rectangle that changed. Transparent parts are laid over white. Delays are rounded
/// to hundredths of a second, at least 0.02 s, below which browsers slow down.
///
/// # Errors
/// [`EvalError::Empty`] without frames; [`EvalError::Shape`] if the frames differ in size, or a side is above 65 535.
pub fn encode_gif(
    frames: &[Pixels],
    delay_ms: u32,
    last_delay_ms: u32,
) -> Result<Vec<u8>, EvalError> {
    encode_with(frames, delay_ms, last_delay_ms, 256)
}

/// [`encode_gif`] with at most `most` colours, 2 to 256.
pub(crate) fn encode_with(
    frames: &[Pixels],
    delay_ms: u32,
    last_delay_ms: u32,
    most: usize,
) -> Result<Vec<u8>, EvalError> {
    let first = frames
        .first()
        .ok_or(EvalError::Empty("list of GIF frames"))?;
    let (w, h) = (first.width, first.height);
    let side = |v: usize| {
        u16::try_from(v).map_err(|_| EvalError::shape("side of a GIF", "at most 65535", v))
    };
    let (w16, h16) = (side(w)?, side(h)?);
    let mut counts: HashMap<[u8; 3], u64> = HashMap::new();
    for frame in frames {
        frame.check()?;
        if (frame.width, frame.height) != (w, h) {
            return Err(EvalError::shape(
                "size of a GIF frame",
                format!("{w} × {h} as the first one"),
                format!("{} × {}", frame.width, frame.height),
            ));
        }
        for c in colours(frame) {
            *counts.entry(c).or_default() += 1;
        }
    }
    // One entry is kept free for "as before", unless all 256 are needed to be exact.
    let room = if counts.len() == most { most } else { most - 1 };
    let palette = Indexed::new(counts, room);
    let mut table: Vec<u8> = palette.colours.as_flattened().to_vec();
    let same = (palette.colours.len() < 256).then_some(palette.colours.len() as u8);
    if same.is_some() {
        table.extend([0; 3]);
    }

    let refuse = |e: gif::EncodingError| EvalError::Encode {
        format: "GIF",
        reason: e.to_string(),
    };
    let mut out = Vec::new();
    let mut encoder = gif::Encoder::new(&mut out, w16, h16, &table).map_err(refuse)?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(refuse)?;
    let mut before: Option<Vec<u8>> = None;
    for (i, frame) in frames.iter().enumerate() {
        let now: Vec<u8> = colours(frame).map(|c| palette.of(c)).collect();
        let [x0, y0, x1, y1] = match &before {
            Some(old) => changed(old, &now, w),
            None => [0, 0, w, h],
        };
        let mut buffer = Vec::with_capacity((x1 - x0) * (y1 - y0));
        for y in y0..y1 {
            for k in y * w + x0..y * w + x1 {
                buffer.push(match (&before, same) {
                    (Some(old), Some(same)) if old[k] == now[k] => same,
                    _ => now[k],
                });
            }
        }
        let delay = if i + 1 == frames.len() {
            last_delay_ms
        } else {
            delay_ms
        };
        let part = gif::Frame {
            delay: (delay.saturating_add(5) / 10).clamp(2, 65_535) as u16,
            dispose: gif::DisposalMethod::Keep,
            transparent: same.filter(|_| before.is_some()),
            left: x0 as u16,
            top: y0 as u16,
            width: (x1 - x0) as u16,
            height: (y1 - y0) as u16,
            buffer: Cow::Owned(buffer),
            ..gif::Frame::default()
        };
        encoder.write_frame(&part).map_err(refuse)?;
        before = Some(now);
    }
    drop(encoder);
    Ok(out)
}

/// Writes an endless animation in one piece or not at all; see [`encode_gif`]. The last frame stays for
/// `last_delay_ms`, so that the eye can rest on the result.
///
/// # Errors
/// Those of [`encode_gif`] and [`fokker_data::write_atomic`].
pub fn write_gif(
    path: impl AsRef<Path>,
    frames: &[Pixels],
    delay_ms: u32,
    last_delay_ms: u32,
) -> Result<(), EvalError> {
    Ok(fokker_data::write_atomic(
        path,
        &encode_gif(frames, delay_ms, last_delay_ms)?,
    )?)
}

fn colours(frame: &Pixels) -> impl Iterator<Item = [u8; 3]> + '_ {
    (0..frame.height).flat_map(move |y| (0..frame.width).map(move |x| frame.rgb(x, y, [255; 3])))
}

/// The smallest rectangle [x0, y0, x1, y1] that holds every difference; one pixel if there is none.
fn changed(old: &[u8], new: &[u8], width: usize) -> [usize; 4] {
    let mut r = [usize::MAX, usize::MAX, 0, 0];
    for (k, (a, b)) in old.iter().zip(new).enumerate() {
        if a != b {
            let (x, y) = (k % width, k / width);
            r = [r[0].min(x), r[1].min(y), r[2].max(x + 1), r[3].max(y + 1)];
        }
    }
    if r[2] == 0 { [0, 0, 1, 1] } else { r }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes and composes a GIF: (frames as RGB, delays in 1/100 s).
    fn decode(bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<u16>, (u16, u16)) {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes).unwrap();
        assert_eq!(decoder.repeat(), gif::Repeat::Infinite);
        let (w, h) = (decoder.width(), decoder.height());
        let mut screen = vec![0u8; usize::from(w) * usize::from(h) * 3];
        let (mut frames, mut delays) = (vec![], vec![]);
        while let Some(f) = decoder.read_next_frame().unwrap() {
            for (k, p) in f.buffer.chunks_exact(4).enumerate() {
                let x = usize::from(f.left) + k % usize::from(f.width);
                let y = usize::from(f.top) + k / usize::from(f.width);
                if p[3] > 0 {
                    let at = (y * usize::from(w) + x) * 3;
                    screen[at..at + 3].copy_from_slice(&p[..3]);
                }
            }
            frames.push(screen.clone());
            delays.push(f.delay);
        }
        (frames, delays, (w, h))
    }

    #[test]
    fn grey_frames_come_back_exactly() {
        for levels in [40u32, 256] {
            let frames: Vec<Pixels> = (0..5u32)
                .map(|f| {
                    let data = (0..32 * 20u32)
                        .map(|i| ((i * (f / 2 + 1)) % levels) as u8)
                        .collect();
                    Pixels::new(32, 20, 1, data).unwrap()
                })
                .collect();
            let bytes = encode_gif(&frames, 80, 1500).unwrap();
            assert_eq!(bytes, encode_gif(&frames, 80, 1500).unwrap());
            let (back, delays, size) = decode(&bytes);
            assert_eq!((back.len(), size), (5, (32, 20)));
            assert_eq!(delays, [8, 8, 8, 8, 150]);
            for (a, b) in frames.iter().zip(&back) {
                let grey: Vec<u8> = a.data.iter().flat_map(|&v| [v; 3]).collect();
                assert_eq!(&grey, b);
            }
        }
    }

    #[test]
    fn colour_frames_come_back_near() {
        let frames: Vec<Pixels> = (0..3usize)
            .map(|f| {
                let data = (0..48 * 48usize)
                    .flat_map(|i| [(i % 48 * 5) as u8, (i / 48 * 5) as u8, (f * 90) as u8])
                    .collect();
                Pixels::new(48, 48, 3, data).unwrap()
            })
            .collect();
        let (back, _, _) = decode(&encode_gif(&frames, 40, 40).unwrap());
        for (a, b) in frames.iter().zip(&back) {
            let error: f64 = a
                .data
                .iter()
                .zip(b)
                .map(|(x, y)| f64::from(x.abs_diff(*y)))
                .sum::<f64>()
                / b.len() as f64;
            assert!(error < 9.0, "mean error {error}");
        }
    }

    #[test]
    fn wrong_frames_are_refused() {
        let a = Pixels::new(2, 2, 1, vec![0; 4]).unwrap();
        let b = Pixels::new(1, 2, 1, vec![0; 2]).unwrap();
        assert!(matches!(encode_gif(&[], 1, 1), Err(EvalError::Empty(_))));
        assert!(matches!(
            encode_gif(&[a, b], 1, 1),
            Err(EvalError::Shape { .. })
        ));
    }
}
