//! Plots: data in, [`Svg`] out.
//!
//! A figure holds data and words; [`Figure::draw`] lays it out for a width, so that a report can show it wide on a
//! screen and narrow on a telephone with text of the same size. Values that are not finite are left out; a figure
//! without any drawable value says "no data".

mod bars;
mod bundle;
mod curve;
mod heat;
mod histogram;
mod label;
mod layers;
mod layout;
mod line;
mod panels;
mod paths;
mod pen;
mod plane;
mod scatter;
mod ticks;

#[cfg(test)]
mod tests;

pub use bars::Bars;
pub use heat::HeatMap;
pub use histogram::{Histogram, HistogramPanel};
pub use line::{LineChart, Series};
pub use paths::{PathPanel, PathPanels};
pub use plane::{Plane, View};
pub use scatter::{Panel, Scatter};
pub use ticks::{linear_ticks, number};

use crate::{Svg, Theme};

/// The width for which a figure is drawn when nothing else is asked for, in SVG units (CSS pixels).
pub const WIDTH: f64 = 720.0;

/// The least width that any figure is laid out for; narrower requests get this one.
pub const MIN_WIDTH: f64 = 240.0;

/// Something that can be drawn at any width.
pub trait Figure {
    /// The figure laid out for `width` CSS pixels; its height follows.
    fn draw(&self, width: f64, theme: &Theme) -> Svg;

    /// The figure at [`WIDTH`] in the colours that the viewer prefers.
    fn svg(&self) -> Svg {
        self.draw(WIDTH, &Theme::auto())
    }
}
