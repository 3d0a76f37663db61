//! Folders of pictures.

pub(crate) mod decode;
mod jpeg;

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::{DataError, Memory, Shape};

/// The most rows or columns of a picture, read or asked for.
pub const MAX_SIDE: usize = 16_384;

/// How a picture comes to the size that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Fit {
    /// Scaled, keeping its proportions, until it just covers the size, less what then stands over on both sides.
    #[default]
    Crop,
    /// Scaled along each side by itself.
    Stretch,
    /// Refused unless it has the size already.
    Exact,
}

/// How to read a folder of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FolderOptions {
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// (height, width) of the items; `None`: the size of the first picture, which all others must then have.
    pub size: Option<(usize, usize)>,
    /// How pictures of another size are treated.
    pub fit: Fit,
}

impl Default for FolderOptions {
    /// Three channels, the size of the first picture.
    fn default() -> Self {
        Self {
            channels: 3,
            size: None,
            fit: Fit::Crop,
        }
    }
}

/// Reads PNG, JPEG and WebP pictures from a folder.
///
/// Pictures lie in the folder itself (an unlabelled set) or one level deeper, where each sub-folder is a class. Classes and
/// pictures are in the order of their names. Files with other endings are passed over and counted
/// ([`Memory::skipped`]); names that begin with a dot are passed over.
///
/// Pictures are turned as their EXIF data say, reduced from 16 to 8 bits, laid on white where they are transparent, made grey by
/// Rec. 709 weights where one channel is asked for, and scaled by a Lanczos filter of width 3. Byte b is the value b/127.5 − 1.
///
/// # Errors
/// A folder that cannot be read or holds no pictures, pictures both in the folder and in its sub-folders, folders within those,
/// a sub-folder without pictures; a picture that is damaged, has a side above [`MAX_SIDE`] or, if [`Fit::Exact`] or no size was
/// asked for, another size; options out of range.
pub fn read_folder(path: &Path, options: FolderOptions) -> Result<Memory, DataError> {
    check(options)?;
    let found = find(path)?;
    let (height, width) = match options.size {
        Some(size) => size,
        None => decode::size_of(&found.files[0])?,
    };
    let shape = Shape::Image {
        channels: options.channels,
        height,
        width,
    };
    let fit = if options.size.is_some() {
        options.fit
    } else {
        Fit::Exact
    };
    let bytes = decode_all(path, &found.files, shape, fit)?;
    let name = folder_name(path)?;
    let set = Memory::from_bytes(name, shape, bytes, found.labels, found.classes)?;
    Ok(set.with_skipped(found.skipped))
}

/// The pictures' bytes, picture after picture. `path` is what they are a part of.
pub(crate) fn decode_all(
    path: &Path,
    files: &[PathBuf],
    shape: Shape,
    fit: Fit,
) -> Result<Vec<u8>, DataError> {
    let size = shape.size();
    let mut bytes = Vec::new();
    let total = size.checked_mul(files.len());
    if total.is_none_or(|total| bytes.try_reserve_exact(total).is_err()) {
        let what = format!("{} pictures of {shape} do not fit into memory", files.len());
        let right = "ask for a smaller size, or for fewer pictures";
        return Err(DataError::file(path, what, right));
    }
    bytes.resize(size * files.len(), 0);
    let fault = bytes
        .par_chunks_exact_mut(size)
        .zip(files)
        // The first fault in the order of the files, whichever thread meets one first.
        .find_map_first(|(out, file)| decode::read(file, shape, fit, out).err());
    match fault {
        None => Ok(bytes),
        Some(fault) => Err(fault),
    }
}

/// The name of the folder itself, whatever path led there.
pub(crate) fn folder_name(path: &Path) -> Result<String, DataError> {
    let whole = path
        .canonicalize()
        .map_err(|source| DataError::io(path, "read", source))?;
    let name = whole.file_name().unwrap_or(path.as_os_str());
    Ok(name.to_string_lossy().into_owned())
}

/// Reads one PNG, JPEG or WebP picture of exactly this shape, as [`read_folder`] does: `[channels, height, width]`, byte b as b/127.5 − 1.
///
/// # Errors
/// A file that cannot be read or is damaged, a picture of another size, or a shape that is none of pictures.
pub fn read_picture(path: &Path, shape: Shape) -> Result<Vec<f32>, DataError> {
    let Shape::Image {
        channels,
        height,
        width,
    } = shape
    else {
        let what = format!("a picture cannot stand for {shape}");
        return Err(DataError::file(path, what, "give a .npy or .csv file"));
    };
    check(FolderOptions {
        channels,
        size: Some((height, width)),
        fit: Fit::Exact,
    })?;
    let mut bytes = vec![0; shape.size()];
    decode::read(path, shape, Fit::Exact, &mut bytes)?;
    Ok(bytes
        .into_iter()
        .map(|b| f32::from(b) / 127.5 - 1.0)
        .collect())
}

pub(crate) fn check(options: FolderOptions) -> Result<(), DataError> {
    if !matches!(options.channels, 1 | 3) {
        let right = "give 1 (grey) or 3 (red, green, blue)";
        return Err(DataError::option(
            "channels",
            options.channels.to_string(),
            right,
        ));
    }
    if let Some((height, width)) = options.size {
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&height) || !sides.contains(&width) {
            let right = format!("height and width are 1 to {MAX_SIDE}");
            return Err(DataError::option(
                "size",
                format!("{height}×{width}"),
                right,
            ));
        }
    }
    Ok(())
}

/// What pictures a folder holds.
struct Found {
    files: Vec<PathBuf>,
    labels: Option<Vec<u32>>,
    classes: Vec<String>,
    skipped: usize,
}

fn find(path: &Path) -> Result<Found, DataError> {
    let top = list(path)?;
    let mut skipped = top.skipped;
    if top.folders.is_empty() {
        if top.pictures.is_empty() {
            let what = format!("holds no pictures ({skipped} files of other types)");
            return Err(DataError::file(path, what, RIGHT_FILES));
        }
        return Ok(Found {
            files: top.pictures,
            labels: None,
            classes: Vec::new(),
            skipped,
        });
    }
    if !top.pictures.is_empty() {
        let what = format!(
            "holds {} pictures beside {} sub-folders",
            top.pictures.len(),
            top.folders.len()
        );
        let right = "put all pictures into sub-folders, one for each class, or all into one folder";
        return Err(DataError::file(path, what, right));
    }
    let (mut files, mut labels, mut classes) = (Vec::new(), Vec::new(), Vec::new());
    for (label, folder) in top.folders.iter().enumerate() {
        let class = list(folder)?;
        skipped += class.skipped;
        if let Some(inner) = class.folders.first() {
            let right = "put the pictures of a class directly into its folder";
            return Err(DataError::file(
                inner,
                "a folder within the folder of a class",
                right,
            ));
        }
        if class.pictures.is_empty() {
            let what = format!(
                "the folder of a class holds no pictures ({} files of other types)",
                class.skipped
            );
            return Err(DataError::file(
                folder,
                what,
                "add PNG, JPEG or WebP files, or remove the folder",
            ));
        }
        labels.resize(labels.len() + class.pictures.len(), label as u32);
        files.extend(class.pictures);
        let name = folder.file_name().unwrap_or(folder.as_os_str());
        classes.push(name.to_string_lossy().into_owned());
    }
    Ok(Found {
        files,
        labels: Some(labels),
        classes,
        skipped,
    })
}

const RIGHT_FILES: &str =
    "give a folder of PNG, JPEG or WebP files, or of one sub-folder for each class";

/// What lies directly in a folder, sorted by name.
#[derive(Default)]
struct Listing {
    pictures: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    skipped: usize,
}

fn list(path: &Path) -> Result<Listing, DataError> {
    if path.is_file() {
        return Err(DataError::file(path, "a file, not a folder", RIGHT_FILES));
    }
    let error = |source| DataError::io(path, "list", source);
    let mut listing = Listing::default();
    for entry in fs::read_dir(path).map_err(error)? {
        let entry = entry.map_err(error)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        // Follows links, unlike the type in the entry.
        let meta = fs::metadata(&path).map_err(|source| DataError::io(&path, "read", source))?;
        if meta.is_dir() {
            listing.folders.push(path);
        } else if decode::has_picture_ending(&path) {
            listing.pictures.push(path);
        } else {
            listing.skipped += 1;
        }
    }
    listing.pictures.sort();
    listing.folders.sort();
    Ok(listing)
}
