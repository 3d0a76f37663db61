use std::fs;
use std::path::Path;

use fokker_data::{CAPTIONS, Dataset, Fit, FolderOptions, Shape, read_captions, read_folder};
use image::{Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::{contents, refused, strings};

/// A folder with pictures `a.png`, `b.png` and `sub/c.png` of 4×4 and these lines of captions.
fn folder(lines: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    for (name, level) in [("a.png", 10), ("b.png", 20), ("sub/c.png", 30)] {
        let picture = RgbImage::from_pixel(4, 4, Rgb([level, 0, 255]));
        picture.save(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join(CAPTIONS), lines).unwrap();
    folder
}

const GOOD: &str = r#"{"file": "b.png", "text": "a square"}

{"text": " zwei Quadrate ", "file": "sub/c.png", "author": "somebody"}
{"file": "a.png", "text": "a square"}
{"file": "a.png", "text": "blue \u00fc"}
"#;

fn read(folder: &Path) -> Result<fokker_data::Memory, fokker_data::DataError> {
    read_captions(folder, CAPTIONS, FolderOptions::default())
}

#[test]
fn distinct_captions_are_the_classes() {
    let folder = folder(GOOD);
    let set = read(folder.path()).unwrap();
    assert_eq!(
        set.classes(),
        strings(&["a square", "zwei Quadrate", "blue ü"])
    );
    assert_eq!(set.labels().unwrap(), [0, 1, 0, 2]);
    let first: Vec<u8> = set.bytes().unwrap().chunks(3 * 16).map(|i| i[0]).collect();
    assert_eq!(first, [20, 30, 10, 10]);
}

#[test]
fn pictures_are_those_of_a_folder_without_captions() {
    let folder = tempfile::tempdir().unwrap();
    let picture = RgbaImage::from_fn(9, 6, |x, y| {
        Rgba([(x * 20) as u8, (y * 30) as u8, 90, (x * 25) as u8])
    });
    picture.save(folder.path().join("p.png")).unwrap();
    for fit in [Fit::Crop, Fit::Stretch] {
        let options = FolderOptions {
            channels: 3,
            size: Some((4, 4)),
            fit,
        };
        let plain = read_folder(folder.path(), options).unwrap();
        let lines = folder.path().join("other.jsonl");
        fs::write(&lines, "{\"file\":\"p.png\",\"text\":\"x\"}\r\n").unwrap();
        let set = read_captions(folder.path(), "other.jsonl", options).unwrap();
        fs::remove_file(lines).unwrap();
        assert_eq!(contents(&set).0, contents(&plain).0);
    }
}

#[test]
fn refusals_name_the_line() {
    let cases = [
        ("", &["captions.jsonl", "holds no captions"][..]),
        ("\n\n", &["holds no captions"]),
        (
            "\n{\"file\": \"a.png\"}",
            &["line 2", "no \"text\"", "its keys are [file]"],
        ),
        (
            "{\"text\": \"x\", \"path\": \"a.png\"}",
            &["line 1", "no \"file\""],
        ),
        (
            "{\"file\": \"a.png\", \"text\": 3}",
            &["line 1", "\"text\" is 3, not a text"],
        ),
        (
            "{\"file\": \"a.png\", \"text\": \" \\n\"}",
            &["line 1", "caption of a.png is empty"],
        ),
        (
            "{\"file\": \"\", \"text\": \"x\"}",
            &["name of the picture is empty"],
        ),
        (
            "{\"file\": \"x.png\", \"text\": \"x\"}",
            &["line 1", "no picture x.png"],
        ),
        ("{\"file\": \"sub\", \"text\": \"x\"}", &["no picture sub"]),
        ("[\"a.png\", \"x\"]", &["line 1", "not an object"]),
        (
            "{\"file\": \"a.png\", \"text\": \"x\"",
            &["line 1", "no JSON", "at column"],
        ),
        ("a square", &["no JSON"]),
    ];
    for (lines, parts) in cases {
        refused(read(folder(lines).path()), parts);
    }
    let twice = format!("{GOOD}{{\"file\": \"b.png\", \"text\": \"a square \"}}");
    refused(read(folder(&twice).path()), &["line 6", "as in line 1"]);
    let bytes = tempfile::tempdir().unwrap();
    refused(read(bytes.path()), &["cannot read", CAPTIONS]);
    fs::write(bytes.path().join(CAPTIONS), [0xFF, 0xFE, 0]).unwrap();
    refused(read(bytes.path()), &["no text in UTF-8"]);
}

#[test]
fn pictures_that_are_none_are_refused() {
    let broken = folder("{\"file\": \"a.png\", \"text\": \"x\"}");
    fs::write(broken.path().join("a.png"), b"not a picture").unwrap();
    refused(read(broken.path()), &["a.png"]);
    let other = folder(GOOD);
    RgbImage::new(5, 4)
        .save(other.path().join("a.png"))
        .unwrap();
    refused(read(other.path()), &["a.png", "4×5"]);
}

#[test]
fn emoji_lie_in_the_binary() {
    let set = fokker_data::emoji();
    let shape = Shape::Image {
        channels: 3,
        height: 32,
        width: 32,
    };
    assert_eq!((set.shape(), set.len()), (shape, Some(400)));
    let captions = set.classes();
    for caption in [
        "red heart, google style",
        "red heart, twitter style",
        "cactus, google style",
    ] {
        assert!(captions.iter().any(|c| c == caption), "{caption}");
    }
    let mut sorted = captions.to_vec();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), 400);
    let plane = 32 * 32;
    for (k, image) in set.bytes().unwrap().chunks(3 * plane).enumerate() {
        assert!(image.iter().any(|v| *v < 220), "{}", captions[k]);
    }
    // White is white, and a heart is red in the middle.
    let corners = set.bytes().unwrap().chunks(plane).map(|p| p[0]);
    assert!(corners.filter(|v| *v == 255).count() > 900);
    let heart = captions
        .iter()
        .position(|c| c == "red heart, google style")
        .unwrap();
    let middle = 16 * 32 + 16;
    let pixel = |c: usize| set.bytes().unwrap()[(heart * 3 + c) * plane + middle];
    assert!(pixel(0) > 180 && pixel(1) < 120 && pixel(2) < 120);
}

proptest! {
    /// Whatever a file of captions holds, it is read or refused.
    #[test]
    fn any_lines_are_read_or_refused(lines in "(\\PC|\n|\\{|\\}|\"|file|text|a.png|:|,){0,200}") {
        let _ = read(folder(&lines).path());
    }

    /// Captions come back as they were written, whatever is in them.
    #[test]
    fn captions_come_back(texts in prop::collection::vec("\\PC*[a-z]\\PC*", 1..6)) {
        let line = |t: &String| serde_json::json!({"file": "a.png", "text": t}).to_string();
        let mut distinct: Vec<String> = Vec::new();
        for text in texts.iter().map(|t| t.trim().to_owned()) {
            if !distinct.contains(&text) {
                distinct.push(text);
            }
        }
        let lines: Vec<String> = distinct.iter().map(line).collect();
        let set = read(folder(&lines.join("\n")).path()).unwrap();
        prop_assert_eq!(set.classes(), &distinct[..]);
    }
}
