use std::path::Path;

use crate::{EvalError, Pixels, Theme, figure::Figure, gif_file::encode_with};

/// A moving figure as an endless GIF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Animation {
    /// The GIF file.
    pub gif: Vec<u8>,
    /// Width and height in pixels.
    pub size: (usize, usize),
}

/// Figures have few colours and their edges few shades; fewer table entries make much smaller files.
const COLOURS: usize = 64;

impl Animation {
    /// Draws each figure `width` pixels wide in the (light or only) colours of `theme` and shows it for `delay_ms`, the
    /// last one for `last_delay_ms`. Figures with the same titles and fixed ranges have the same height and hold still.
    ///
    /// ```
    /// use fokker_eval::{Animation, Theme, figure::{Plane, View}};
    /// let frame = |k: usize| {
    ///     let at = vec![(k as f64 / 10.0, 0.5)];
    ///     Plane::new("A point moves").view(View::new("", (0.0, 1.0), (0.0, 1.0)).points("", at))
    /// };
    /// let movie = Animation::render((0..10).map(frame), 320.0, &Theme::dark(), 80, 1000)?;
    /// assert_eq!(movie.size.0, 320);
    /// # Ok::<(), fokker_eval::EvalError>(())
    /// ```
    ///
    /// # Errors
    /// [`EvalError::Empty`] without figures; those of [`Svg::to_png`](crate::Svg::to_png) and
    /// [`encode_gif`](crate::encode_gif).
    pub fn render<F: Figure>(
        figures: impl IntoIterator<Item = F>,
        width: f64,
        theme: &Theme,
        delay_ms: u32,
        last_delay_ms: u32,
    ) -> Result<Self, EvalError> {
        let frames: Vec<Pixels> = figures
            .into_iter()
            .map(|figure| figure.draw(width, theme).to_png(1.0))
            .collect::<Result<_, _>>()?;
        let gif = encode_with(&frames, delay_ms, last_delay_ms, COLOURS)?;
        // Without frames the encoder has refused.
        let size = frames.first().map_or((0, 0), |f| (f.width, f.height));
        Ok(Self { gif, size })
    }

    /// Writes the GIF in one piece or not at all.
    ///
    /// # Errors
    /// Those of [`fokker_data::write_atomic`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), EvalError> {
        Ok(fokker_data::write_atomic(path, &self.gif)?)
    }
}
