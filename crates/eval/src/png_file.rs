use std::{
    fs::File,
    io::{BufRead, BufReader, Seek},
    path::Path,
};

use crate::{EvalError, Pixels};

/// No text in a PNG is read beyond this many bytes.
const MAX_TEXT: usize = 32 << 20;

/// The picture as the bytes of a PNG file, with `text` as (keyword, UTF-8 text) pairs in `iTXt` chunks.
///
/// # Errors
/// [`EvalError::Shape`] for a picture whose bytes do not fit its size; [`EvalError::Encode`] for a keyword that PNG
/// does not allow (1 to 79 characters of Latin-1).
pub fn encode_png(picture: &Pixels, text: &[(&str, &str)]) -> Result<Vec<u8>, EvalError> {
    picture.check()?;
    let refuse = |e: png::EncodingError| EvalError::Encode {
        format: "PNG",
        reason: e.to_string(),
    };
    let side =
        |v: usize| u32::try_from(v).map_err(|_| EvalError::shape("side of a PNG", "below 2³²", v));
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, side(picture.width)?, side(picture.height)?);
    encoder.set_color(match picture.channels {
        1 => png::ColorType::Grayscale,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    for (keyword, content) in text {
        let latin = keyword
            .chars()
            .all(|c| matches!(c, ' '..='~' | '\u{a1}'..='\u{ff}'));
        if !latin || !(1..=79).contains(&keyword.chars().count()) || keyword.trim() != *keyword {
            return Err(EvalError::Encode {
                format: "PNG",
                reason: format!(
                    "text keyword {keyword:?} must be 1 to 79 printable Latin-1 characters, no space around"
                ),
            });
        }
        encoder
            .add_itxt_chunk((*keyword).to_owned(), (*content).to_owned())
            .map_err(refuse)?;
    }
    let mut writer = encoder.write_header().map_err(refuse)?;
    writer.write_image_data(&picture.data).map_err(refuse)?;
    writer.finish().map_err(refuse)?;
    Ok(out)
}

/// Writes a PNG file in one piece or not at all; see [`encode_png`].
///
/// # Errors
/// Those of [`encode_png`] and [`fokker_data::write_atomic`].
pub fn write_png(
    path: impl AsRef<Path>,
    picture: &Pixels,
    text: &[(&str, &str)],
) -> Result<(), EvalError> {
    Ok(fokker_data::write_atomic(
        path,
        &encode_png(picture, text)?,
    )?)
}

/// The text under `key` in a PNG file (`tEXt`, `zTXt` or `iTXt`), or None if it has none.
///
/// Safe on any file: the picture itself is not decoded unless the text may stand behind it, and memory is bounded.
///
/// # Errors
/// [`EvalError::Io`], [`EvalError::NotPng`], or [`EvalError::BadPng`] for a file that is damaged or beyond the limits.
pub fn read_png_text(path: impl AsRef<Path>, key: &str) -> Result<Option<String>, EvalError> {
    let path = path.as_ref();
    let io = |source| EvalError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let bad = |e: png::DecodingError| match e {
        png::DecodingError::IoError(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => io(e),
        e => EvalError::BadPng {
            path: path.to_owned(),
            reason: e.to_string(),
        },
    };
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
    if !file.fill_buf().map_err(io)?.starts_with(SIGNATURE) {
        return Err(EvalError::NotPng {
            path: path.to_owned(),
        });
    }
    file.rewind().map_err(io)?;
    let mut options = png::DecodeOptions::default();
    // A text whose checksum is wrong is damage to report, not a text that is missing.
    options.set_skip_ancillary_crc_failures(false);
    let mut decoder = png::Decoder::new_with_options(file, options);
    decoder.set_limits(png::Limits { bytes: MAX_TEXT });
    let mut reader = decoder.read_info().map_err(bad)?;
    if let Some(text) = find(reader.info(), key).map_err(bad)? {
        return Ok(Some(text));
    }
    // Text may also stand behind the picture.
    reader.finish().map_err(bad)?;
    find(reader.info(), key).map_err(bad)
}

fn find(info: &png::Info<'_>, key: &str) -> Result<Option<String>, png::DecodingError> {
    if let Some(chunk) = info.utf8_text.iter().find(|c| c.keyword == key) {
        let mut chunk = chunk.clone();
        chunk.decompress_text_with_limit(MAX_TEXT)?;
        return chunk.get_text().map(Some);
    }
    if let Some(chunk) = info
        .uncompressed_latin1_text
        .iter()
        .find(|c| c.keyword == key)
    {
        return Ok(Some(chunk.text.clone()));
    }
    if let Some(chunk) = info
        .compressed_latin1_text
        .iter()
        .find(|c| c.keyword == key)
    {
        let mut chunk = chunk.clone();
        chunk.decompress_text_with_limit(MAX_TEXT)?;
        return chunk.get_text().map(Some);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pixel() -> Pixels {
        Pixels::new(2, 1, 3, vec![1, 2, 3, 4, 5, 6]).unwrap()
    }

    fn file(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn text_comes_back_in_any_language_and_length() {
        let (_folder, path) = file(b"");
        let long = "{\"δ\":\"Größe → ∞ 漢字 🙂\"}\n".repeat(2000);
        assert!(long.len() > 65_536);
        write_png(
            &path,
            &pixel(),
            &[("fokker", &long), ("Comment", ""), ("ascii", "plain")],
        )
        .unwrap();
        assert_eq!(
            read_png_text(&path, "fokker").unwrap().as_deref(),
            Some(&*long)
        );
        assert_eq!(
            read_png_text(&path, "Comment").unwrap().as_deref(),
            Some("")
        );
        assert_eq!(
            read_png_text(&path, "ascii").unwrap().as_deref(),
            Some("plain")
        );
        assert_eq!(read_png_text(&path, "missing").unwrap(), None);
    }

    #[test]
    fn pixels_come_back() {
        for channels in [1usize, 3, 4] {
            let picture = Pixels::new(3, 2, channels, (0..6 * channels as u8).collect()).unwrap();
            let bytes = encode_png(&picture, &[]).unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes))
                .read_info()
                .unwrap();
            let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut buffer).unwrap();
            assert_eq!((info.width, info.height, &buffer), (3, 2, &picture.data));
        }
    }

    #[test]
    fn other_files_are_named() {
        for bytes in [&b""[..], b"GIF89a", b"\x89PN"] {
            let (_folder, path) = file(bytes);
            assert!(matches!(
                read_png_text(&path, "fokker"),
                Err(EvalError::NotPng { .. })
            ));
        }
        let missing = read_png_text("/nonexistent/a.png", "fokker")
            .unwrap_err()
            .to_string();
        assert!(missing.contains("/nonexistent/a.png"), "{missing}");
    }

    #[test]
    fn a_changed_text_is_damage() {
        let mut bytes = encode_png(&pixel(), &[("fokker", "{\"seed\":1}")]).unwrap();
        let at = bytes.windows(8).position(|w| w == b"\"seed\":1").unwrap();
        bytes[at + 7] = b'2';
        let (_folder, path) = file(&bytes);
        assert!(matches!(
            read_png_text(&path, "fokker"),
            Err(EvalError::BadPng { .. })
        ));
    }

    #[test]
    fn an_inflated_text_is_refused() {
        // 200 MB of zeros in a zTXt chunk of some 200 kB.
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
        encoder
            .add_ztxt_chunk("fokker".into(), "0".repeat(200 << 20))
            .unwrap();
        encoder
            .write_header()
            .unwrap()
            .write_image_data(&[0])
            .unwrap();
        let (_folder, path) = file(&bytes);
        assert!(matches!(
            read_png_text(&path, "fokker"),
            Err(EvalError::BadPng { .. })
        ));
    }

    #[test]
    fn wrong_keywords_are_refused() {
        for key in ["", " a", "漢", &"k".repeat(80)] {
            assert!(encode_png(&pixel(), &[(key, "x")]).is_err(), "{key:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
        #[test]
        fn hostile_files_never_panic(cut in 0usize..200, flips in prop::collection::vec((8usize..200, any::<u8>()), 0..6)) {
            let mut bytes = encode_png(&pixel(), &[("fokker", "recipe äöü")]).unwrap();
            for (at, v) in flips {
                let n = bytes.len();
                bytes[at % n] = v;
            }
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            let (_folder, path) = file(&bytes);
            if let Ok(Some(text)) = read_png_text(&path, "fokker") {
                prop_assert_eq!(text, "recipe äöü");
            }
        }
    }
}
