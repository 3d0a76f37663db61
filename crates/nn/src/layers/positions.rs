use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::Init;

/// What tells tokens of a grid apart: a vector for each place, added to its token.
#[derive(Module, Debug)]
pub enum Positions {
    /// Sines and cosines of the place, not trained.
    Fixed(Tensor<2>),
    /// Trained, initially N(0, 1).
    Learned(Param<Tensor<2>>),
}

impl Positions {
    /// Fixed vectors of `width` numbers (a multiple of four) for the places of `[rows, columns]`, row by row.
    ///
    /// The first half of a vector is of the column, the second of the row; each half is (sin pω_k, cos pω_k) with
    /// ω_k = 10,000^(−4k/width). Source: the two-dimensional form of Vaswani et al., 2017, in He et al., 2022.
    pub fn fixed(width: usize, grid: [usize; 2], device: &Device) -> Self {
        let values = TensorData::new(sin_cos(width, grid), [grid[0] * grid[1], width]);
        Self::Fixed(Tensor::from_data(values, device))
    }

    /// Fixed vectors of `width` numbers (an even number) for the places of a line: (sin pω_k, cos pω_k) with
    /// ω_k = 10,000^(−2k/width). Source: Vaswani et al., 2017.
    pub fn line(width: usize, places: usize, device: &Device) -> Self {
        assert!(
            width.is_multiple_of(2),
            "expected an even width for positions, got {width}"
        );
        let mut values = Vec::with_capacity(places * width);
        for place in 0..places {
            sines(place, width / 2, &mut values);
        }
        let values = TensorData::new(values, [places, width]);
        Self::Fixed(Tensor::from_data(values, device))
    }

    /// Trained vectors.
    pub fn learned(width: usize, tokens: usize, init: &mut Init) -> Self {
        Self::Learned(init.normal([tokens, width], 1.0))
    }

    /// `[batch, tokens, width]` → the same.
    pub fn add(&self, x: Tensor<3>) -> Tensor<3> {
        let values = match self {
            Self::Fixed(values) => values.clone(),
            Self::Learned(values) => values.val(),
        };
        x + values.unsqueeze_dim::<3>(0)
    }
}

/// The values of [`Positions::fixed`] in row-major order.
fn sin_cos(width: usize, [rows, columns]: [usize; 2]) -> Vec<f32> {
    assert!(
        width.is_multiple_of(4),
        "expected a width in multiples of four for two-dimensional positions, got {width}"
    );
    let quarter = width / 4;
    let mut values = Vec::with_capacity(rows * columns * width);
    for row in 0..rows {
        for column in 0..columns {
            for place in [column, row] {
                sines(place, quarter, &mut values);
            }
        }
    }
    values
}

/// Appends `count` sines and then as many cosines of the place.
fn sines(place: usize, count: usize, values: &mut Vec<f32>) {
    let angle = |k| place as f64 * 10_000_f64.powf(-(k as f64) / count as f64);
    values.extend((0..count).map(|k| angle(k).sin() as f32));
    values.extend((0..count).map(|k| angle(k).cos() as f32));
}
