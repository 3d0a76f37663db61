use crate::EvalError;

/// A picture as bytes: `data[(y * width + x) * channels + c]`, sRGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 grey, 3 RGB, 4 RGBA (not premultiplied).
    pub channels: usize,
    /// `height * width * channels` bytes.
    pub data: Vec<u8>,
}

impl Pixels {
    /// A checked picture.
    ///
    /// # Errors
    /// [`EvalError::Shape`] if a side is 0, the channels are not 1, 3 or 4, or the bytes are not exactly enough.
    pub fn new(
        width: usize,
        height: usize,
        channels: usize,
        data: Vec<u8>,
    ) -> Result<Self, EvalError> {
        let picture = Self {
            width,
            height,
            channels,
            data,
        };
        picture.check()?;
        Ok(picture)
    }

    /// From numbers in [−1, 1] in channel-major order, `[channels, height, width]`:
    /// `round((x + 1) · 127.5)`, clamped, so −1 → 0, 0 → 128 and 1 → 255.
    ///
    /// # Errors
    /// [`EvalError::Shape`] as for [`Pixels::new`]; [`EvalError::NotFinite`] for a NaN or an infinity.
    pub fn from_unit(
        values: &[f32],
        channels: usize,
        height: usize,
        width: usize,
    ) -> Result<Self, EvalError> {
        let area = width.saturating_mul(height);
        check_shape(width, height, channels, values.len())?;
        if let Some(index) = values.iter().position(|v| !v.is_finite()) {
            return Err(EvalError::NotFinite {
                what: "image in [−1, 1]",
                index,
                value: values[index].into(),
            });
        }
        let byte = |v: f32| ((v + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8;
        let data = (0..area)
            .flat_map(|i| (0..channels).map(move |c| byte(values[c * area + i])))
            .collect();
        Self::new(width, height, channels, data)
    }

    /// Checks what [`Pixels::new`] checks; the fields are public, so every writer asks again.
    pub(crate) fn check(&self) -> Result<(), EvalError> {
        check_shape(self.width, self.height, self.channels, self.data.len())
    }

    /// The colour at column `x`, row `y`, laid over `background` where it is transparent.
    pub(crate) fn rgb(&self, x: usize, y: usize, background: [u8; 3]) -> [u8; 3] {
        let i = (y * self.width + x) * self.channels;
        match self.channels {
            1 => [self.data[i]; 3],
            3 => [self.data[i], self.data[i + 1], self.data[i + 2]],
            _ => {
                let alpha = u32::from(self.data[i + 3]);
                std::array::from_fn(|c| {
                    let (a, b) = (u32::from(self.data[i + c]), u32::from(background[c]));
                    ((a * alpha + b * (255 - alpha) + 127) / 255) as u8
                })
            }
        }
    }

    /// Whether every pixel is grey.
    pub(crate) fn is_grey(&self) -> bool {
        match self.channels {
            1 => true,
            3 => self
                .data
                .chunks_exact(3)
                .all(|p| p[0] == p[1] && p[1] == p[2]),
            _ => false,
        }
    }
}

fn check_shape(width: usize, height: usize, channels: usize, len: usize) -> Result<(), EvalError> {
    if !matches!(channels, 1 | 3 | 4) {
        return Err(EvalError::shape(
            "channels of a picture",
            "1, 3 or 4",
            channels,
        ));
    }
    let needed = width
        .checked_mul(height)
        .and_then(|v| v.checked_mul(channels));
    if width == 0 || height == 0 || needed != Some(len) {
        return Err(EvalError::shape(
            "values of a picture",
            format!("{width} × {height} × {channels}, none of them 0"),
            len,
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_points_and_order() {
        let p = Pixels::from_unit(&[-1.0, 0.0, 1.0, 7.0, -7.0, -0.0], 3, 1, 2).unwrap();
        // Channel-major in: R = (−1, 0), G = (1, 7), B = (−7, −0).
        assert_eq!(p.data, [0, 255, 0, 128, 255, 128]);
    }

    #[test]
    fn the_scale_is_127_and_a_half() {
        // 1.5 · 127.5 = 191.25 and 0.25 · 127.5 = 31.875.
        let p = Pixels::from_unit(&[0.5, -0.75], 1, 1, 2).unwrap();
        assert_eq!(p.data, [191, 32]);
    }

    #[test]
    fn what_is_not_a_picture_is_refused() {
        let nan = Pixels::from_unit(&[0.0, f32::NAN], 1, 1, 2).unwrap_err();
        assert!(
            matches!(nan, EvalError::NotFinite { index: 1, .. }),
            "{nan}"
        );
        assert!(Pixels::from_unit(&[0.0; 5], 1, 2, 3).is_err());
        assert!(Pixels::from_unit(&[0.0; 8], 2, 2, 2).is_err());
        assert!(Pixels::new(0, 3, 1, vec![]).is_err());
        assert!(Pixels::new(usize::MAX, 2, 4, vec![0; 8]).is_err());
    }
}
