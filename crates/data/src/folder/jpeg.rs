//! Whether a JPEG file is all there.
//!
//! The decoder fills what is missing with grey, so the end has to be looked for first. Segments and markers: ITU-T T.81,
//! annex B.

/// `true` where the segments of a JPEG file lead to its end marker. A thumbnail inside a segment does not count.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    const END_OF_IMAGE: u8 = 0xD9;
    let mut at = 2; // behind the start marker
    loop {
        // Fill bytes, and within a scan its data, in which FF 00 is a value and D0 to D7 mark restarts.
        let marker = match (bytes.get(at), bytes.get(at + 1)) {
            (Some(0xFF), Some(&marker)) => marker,
            (Some(_), Some(_)) => {
                at += 1;
                continue;
            }
            _ => return false,
        };
        match marker {
            END_OF_IMAGE => return true,
            0xFF => at += 1,
            0x00 | 0x01 | 0xD0..=0xD8 => at += 2,
            _ => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4).and_then(|b| b.first_chunk())
                else {
                    return false;
                };
                let length = usize::from(u16::from_be_bytes([high, low]));
                if length < 2 {
                    return false;
                }
                at += 2 + length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn the_end_counts_only_outside_of_segments() {
        let start = [0xFF, 0xD8];
        // A segment of 6 bytes that holds an end marker, as a thumbnail does.
        let thumbnail = [0xFF, 0xE1, 0, 6, 0xFF, 0xD9, 1, 2];
        let scan = [
            0xFF, 0xDA, 0, 3, 7, 0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD1, 0x56,
        ];
        let end = [0xFF, 0xFF, 0xD9];
        let whole = [&start[..], &thumbnail, &scan, &end].concat();
        assert!(is_whole(&whole));
        assert!(is_whole(&[&whole[..], b"trailing bytes"].concat()));
        for keep in 2..whole.len() {
            assert!(!is_whole(&whole[..keep]), "{keep}");
        }
    }
}
