//! Pictures with a line of text each.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::folder::decode::size_of;
use crate::folder::{check, decode_all, folder_name};
use crate::{DataError, Fit, FolderOptions, MAX_CLASSES, Memory, Shape};

/// The file of captions in a folder, where no other is named.
pub const CAPTIONS: &str = "captions.jsonl";

const RIGHT: &str = "a line is {\"file\": \"picture.png\", \"text\": \"what it shows\"}";

/// Reads the pictures that a file of captions names; the distinct captions are the classes, in the order of their first lines.
///
/// `captions` is a file of JSON lines, `{"file": "google/2764.png", "text": "red heart, google style"}`; files are relative to
/// `folder`, other keys are passed over, and a picture may have several lines. Item k is line k, blank lines not counted.
/// White space around a caption is taken off. Pictures are read as by [`read_folder`](crate::read_folder).
///
/// # Errors
/// A file of captions that cannot be read or is empty; with its number, a line that is no JSON, lacks a file or a text, has an
/// empty caption, names a picture that does not exist or repeats an earlier line; pictures as by
/// [`read_folder`](crate::read_folder).
pub fn read_captions(
    folder: &Path,
    captions: &str,
    options: FolderOptions,
) -> Result<Memory, DataError> {
    check(options)?;
    let path = folder.join(captions);
    let Lines {
        files,
        labels,
        texts,
    } = read_lines(folder, &path)?;
    let (height, width) = match options.size {
        Some(size) => size,
        None => size_of(&files[0])?,
    };
    let shape = Shape::Image {
        channels: options.channels,
        height,
        width,
    };
    let fit = match options.size {
        Some(_) => options.fit,
        None => Fit::Exact,
    };
    let bytes = decode_all(&path, &files, shape, fit)?;
    Memory::from_bytes(folder_name(folder)?, shape, bytes, Some(labels), texts)
}

struct Lines {
    files: Vec<PathBuf>,
    labels: Vec<u32>,
    texts: Vec<String>,
}

fn read_lines(folder: &Path, path: &Path) -> Result<Lines, DataError> {
    let bytes = fs::read(path).map_err(|source| DataError::io(path, "read", source))?;
    let Ok(content) = String::from_utf8(bytes) else {
        return Err(DataError::file(path, "is no text in UTF-8", RIGHT));
    };
    let mut lines = Lines {
        files: Vec::new(),
        labels: Vec::new(),
        texts: Vec::new(),
    };
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut seen: HashMap<(PathBuf, u32), usize> = HashMap::new();
    for (number, line) in (1..).zip(content.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let refuse = |what: String, right: &str| {
            Err(DataError::file(
                path,
                format!("line {number}: {what}"),
                right,
            ))
        };
        let (file, text) = match entry(line) {
            Ok(entry) => entry,
            Err(what) => return refuse(what, RIGHT),
        };
        let picture = folder.join(&file);
        if !picture.is_file() {
            let right = format!("files are named as seen from {}", folder.display());
            return refuse(format!("there is no picture {file}"), &right);
        }
        let next = known.len() as u32;
        let label = *known.entry(text.clone()).or_insert_with(|| {
            lines.texts.push(text.clone());
            next
        });
        if lines.texts.len() > MAX_CLASSES {
            let right = format!("at most {MAX_CLASSES} distinct captions are possible");
            return refuse("one caption too many".into(), &right);
        }
        if let Some(earlier) = seen.insert((picture.clone(), label), number) {
            let what = format!("the same picture and caption as in line {earlier}");
            return refuse(what, "remove one of them");
        }
        lines.files.push(picture);
        lines.labels.push(label);
    }
    if lines.files.is_empty() {
        return Err(DataError::file(path, "holds no captions", RIGHT));
    }
    Ok(lines)
}

/// The file and the caption of a line, or what is wrong with it.
fn entry(line: &str) -> Result<(String, String), String> {
    let value: Value = serde_json::from_str(line).map_err(|e| {
        let column = e.column();
        format!("no JSON ({e})").replace(
            &format!(" at line 1 column {column}"),
            &format!(" at column {column}"),
        )
    })?;
    let Value::Object(fields) = value else {
        return Err("not an object in braces".into());
    };
    let text = |key: &str| match fields.get(key) {
        Some(Value::String(text)) => Ok(text.trim().to_owned()),
        Some(other) => Err(format!("\"{key}\" is {other}, not a text")),
        None => {
            let keys: Vec<&str> = fields.keys().map(String::as_str).collect();
            Err(format!(
                "has no \"{key}\" (its keys are [{}])",
                keys.join(", ")
            ))
        }
    };
    let (file, caption) = (text("file")?, text("text")?);
    if file.is_empty() {
        return Err("the name of the picture is empty".into());
    }
    if caption.is_empty() {
        return Err(format!("the caption of {file} is empty"));
    }
    Ok((file, caption))
}
