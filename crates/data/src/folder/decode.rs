//! One picture: decoded within limits and brought to shape.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{
    DynamicImage, GrayImage, ImageDecoder, ImageError, ImageReader, Limits, RgbImage,
    error::LimitErrorKind,
};

use super::{Fit, MAX_SIDE, jpeg};
use crate::{DataError, Shape};

/// The most bytes that one decoded picture may take, for each thread: 8192×8192 in RGBA.
const MAX_BYTES: u64 = 256 << 20;

pub(super) fn has_picture_ending(path: &Path) -> bool {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    matches!(ending.as_deref(), Some("png" | "jpg" | "jpeg" | "webp"))
}

/// Height and width as seen, after turning.
pub(crate) fn size_of(path: &Path) -> Result<(usize, usize), DataError> {
    let mut decoder = open(path)?;
    let turn = decoder
        .orientation()
        .map_err(|fault| broken(path, &fault))?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    let sideways = matches!(
        turn,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    Ok(if sideways {
        (width, height)
    } else {
        (height, width)
    })
}

/// Writes the picture's bytes to `out`, channel by channel.
pub(super) fn read(path: &Path, shape: Shape, fit: Fit, out: &mut [u8]) -> Result<(), DataError> {
    let Shape::Image {
        channels,
        height,
        width,
    } = shape
    else {
        unreachable!("pictures are images")
    };
    let mut decoder = open(path)?;
    let turn = decoder
        .orientation()
        .map_err(|fault| broken(path, &fault))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|fault| broken(path, &fault))?;
    picture.apply_orientation(turn);
    let picture = on_white(picture);
    let seen = (picture.height() as usize, picture.width() as usize);
    if fit == Fit::Exact && seen != (height, width) {
        let what = format!(
            "is {}×{} (height×width), not {height}×{width}",
            seen.0, seen.1
        );
        let right = "scale it, or ask for a size and for Crop or Stretch";
        return Err(DataError::file(path, what, right));
    }
    let (height, width) = (height as u32, width as u32);
    if channels == 1 {
        let grey = fitted(picture.into_luma8().into(), fit, height, width).into_luma8();
        out.copy_from_slice(grey.as_raw());
    } else {
        copy_rgb(
            &fitted(picture.into_rgb8().into(), fit, height, width).into_rgb8(),
            out,
        );
    }
    Ok(())
}

fn open(path: &Path) -> Result<impl ImageDecoder + use<>, DataError> {
    let error = |source| DataError::io(path, "read", source);
    let length = fs::metadata(path).map_err(error)?.len();
    if length > MAX_BYTES {
        return Err(too_large(path, &format!("is a file of {length} bytes")));
    }
    let bytes = fs::read(path).map_err(error)?;
    if bytes.starts_with(&[0xFF, 0xD8]) && !jpeg::is_whole(&bytes) {
        let what = "is a JPEG without its end";
        return Err(DataError::file(
            path,
            what,
            "the picture is damaged: replace or remove it",
        ));
    }
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(error)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE as u32);
    limits.max_image_height = Some(MAX_SIDE as u32);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let decoder = reader
        .into_decoder()
        .map_err(|fault| broken(path, &fault))?;
    if decoder.total_bytes() > MAX_BYTES {
        let (width, height) = decoder.dimensions();
        return Err(too_large(path, &format!("claims {height}×{width} pixels")));
    }
    Ok(decoder)
}

fn broken(path: &Path, fault: &ImageError) -> DataError {
    match fault {
        ImageError::Limits(limit) => match limit.kind() {
            LimitErrorKind::DimensionError => {
                too_large(path, "claims more pixels than are allowed")
            }
            _ => too_large(path, "claims more memory than is allowed"),
        },
        ImageError::Unsupported(_) => {
            let what = format!("cannot be read: {fault}");
            DataError::file(path, what, "save it as PNG, JPEG or WebP")
        }
        _ => {
            let what = format!("cannot be read: {fault}");
            DataError::file(path, what, "the picture is damaged: replace or remove it")
        }
    }
}

fn too_large(path: &Path, what: &str) -> DataError {
    let right = format!(
        "a picture may have sides of up to {MAX_SIDE} and {} MiB of pixels: scale it down",
        MAX_BYTES >> 20
    );
    DataError::file(path, what, right)
}

/// 8 bits a channel, no transparency: c·a + 255·(1 − a), rounded.
fn on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return if picture.color().has_color() {
            picture.into_rgb8().into()
        } else {
            picture.into_luma8().into()
        };
    }
    let blend = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha));
        ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    if picture.color().has_color() {
        let from = picture.into_rgba8();
        let mut rgb = RgbImage::new(from.width(), from.height());
        for (to, pixel) in rgb.pixels_mut().zip(from.pixels()) {
            let [r, g, b, a] = pixel.0;
            to.0 = [blend(r, a), blend(g, a), blend(b, a)];
        }
        rgb.into()
    } else {
        let from = picture.into_luma_alpha8();
        let mut grey = GrayImage::new(from.width(), from.height());
        for (to, pixel) in grey.pixels_mut().zip(from.pixels()) {
            to.0 = [blend(pixel.0[0], pixel.0[1])];
        }
        grey.into()
    }
}

fn fitted(picture: DynamicImage, fit: Fit, height: u32, width: u32) -> DynamicImage {
    let (from_height, from_width) = (picture.height(), picture.width());
    if (from_height, from_width) == (height, width) {
        return picture;
    }
    if fit != Fit::Crop {
        return picture.resize_exact(width, height, FilterType::Lanczos3);
    }
    // The middle part that has the proportions asked for, cut out first so that a long strip does not grow when scaled.
    let wide = u64::from(from_width) * u64::from(height);
    let high = u64::from(from_height) * u64::from(width);
    let (part_height, part_width) = if wide > high {
        (from_height, rounded(high, height))
    } else {
        (rounded(wide, width), from_width)
    };
    let (x, y) = (
        (from_width - part_width) / 2,
        (from_height - part_height) / 2,
    );
    let part = picture.crop_imm(x, y, part_width, part_height);
    part.resize_exact(width, height, FilterType::Lanczos3)
}

/// product / by, rounded, at least 1.
fn rounded(product: u64, by: u32) -> u32 {
    let by = u64::from(by);
    ((product + by / 2) / by).max(1) as u32
}

/// RGBRGB… to RR…GG…BB….
fn copy_rgb(rgb: &RgbImage, out: &mut [u8]) {
    for (channel, plane) in out.chunks_exact_mut(rgb.as_raw().len() / 3).enumerate() {
        for (to, pixel) in plane.iter_mut().zip(rgb.pixels()) {
            *to = pixel.0[channel];
        }
    }
}
