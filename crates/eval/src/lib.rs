//! Metrics on plain numbers, plots, pictures and reports.
//!
//! Nothing here knows a tensor or a training loop: numbers go in, files that people look at come out.
//!
//! - [`metrics`]: mode weights, Wasserstein-2 against its floor, class agreement, nearest neighbours.
//! - [`field`]: level sets, kernel densities, streamlines and bins of functions of the plane.
//! - [`figure`]: lines, paths, histograms, scatter, planes of densities and flows, bars and heat maps as [`Svg`], light
//!   and dark.
//! - [`Pixels`] and [`grid()`]: images as bytes and the labelled sheets made of them.
//! - [`write_png`] (with a recipe in its text chunk), [`write_gif`].
//! - [`Report`]: one self-contained HTML page.
//!
//! All text is drawn with the fonts embedded in this crate, so a picture looks the same on a machine without fonts.

pub mod field;
pub mod figure;
pub mod font;
pub mod metrics;

mod animation;
mod error;
mod gif_file;
mod grid;
mod palette;
mod pixels;
mod png_file;
mod ramp;
mod report;
mod svg;
mod theme;

pub use animation::Animation;
pub use error::EvalError;
pub use gif_file::{encode_gif, write_gif};
pub use grid::{GridStyle, grid};
pub use pixels::Pixels;
pub use png_file::{encode_png, read_png_text, write_png};
pub use report::{Report, Section};
pub use svg::Svg;
pub use theme::{Palette, Theme};
