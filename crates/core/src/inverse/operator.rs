use std::cell::OnceCell;

use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData};

use super::InverseError;
use crate::State;

/// A linear measurement A of data, row by row of a batch.
pub trait LinearOperator {
    /// The numbers \[m, d\] that it puts out and takes.
    fn dims(&self) -> [usize; 2];

    /// A z: `[rows, d]` to `[rows, m]`.
    fn apply(&self, z: State) -> State;

    /// Aᵀ y: `[rows, m]` to `[rows, d]`.
    fn adjoint(&self, y: State) -> State;
}

/// Keeps some coordinates, in order: inpainting.
#[derive(Clone, Debug)]
pub struct Mask {
    dim: usize,
    kept: Vec<i32>,
    on_device: OnceCell<Tensor<1, Int>>,
}

impl Mask {
    /// Keeps the coordinates that are `true`.
    ///
    /// # Errors
    /// [`InverseError::EmptyMask`] where none is.
    pub fn new(known: &[bool]) -> Result<Self, InverseError> {
        let kept: Vec<i32> = (0..)
            .zip(known)
            .filter(|(_, k)| **k)
            .map(|(i, _)| i)
            .collect();
        match kept.is_empty() {
            true => Err(InverseError::EmptyMask { dim: known.len() }),
            false => Ok(Self {
                dim: known.len(),
                kept,
                on_device: OnceCell::new(),
            }),
        }
    }

    fn indices(&self, x: &State) -> Tensor<1, Int> {
        let make = || {
            let data = TensorData::new(self.kept.clone(), [self.kept.len()]);
            Tensor::from_data(data, &x.device())
        };
        self.on_device.get_or_init(make).clone()
    }
}

impl LinearOperator for Mask {
    fn dims(&self) -> [usize; 2] {
        [self.kept.len(), self.dim]
    }

    fn apply(&self, z: State) -> State {
        let indices = self.indices(&z);
        z.select(1, indices)
    }

    fn adjoint(&self, y: State) -> State {
        let indices = self.indices(&y);
        let z = Tensor::zeros([y.dims()[0], self.dim], (&y.device(), y.dtype()));
        z.select_assign(1, indices, y, IndexingUpdateOp::Add)
    }
}

/// Any matrix, `[m, d]`.
#[derive(Clone, Debug)]
pub struct Dense {
    dims: [usize; 2],
    entries: Vec<f64>,
    on_device: OnceCell<State>,
}

impl Dense {
    /// The matrix of these `entries`, row by row.
    ///
    /// # Errors
    /// [`InverseError::Matrix`] where their number is another than rows × columns, or 0.
    pub fn new(rows: usize, columns: usize, entries: &[f64]) -> Result<Self, InverseError> {
        if entries.is_empty() || Some(entries.len()) != rows.checked_mul(columns) {
            return Err(InverseError::Matrix {
                rows,
                columns,
                given: entries.len(),
            });
        }
        Ok(Self {
            dims: [rows, columns],
            entries: entries.to_vec(),
            on_device: OnceCell::new(),
        })
    }

    fn matrix(&self, x: &State) -> State {
        let make = || {
            let data = TensorData::new(self.entries.clone(), self.dims);
            Tensor::from_data(data, (&x.device(), x.dtype()))
        };
        self.on_device.get_or_init(make).clone()
    }
}

impl LinearOperator for Dense {
    fn dims(&self) -> [usize; 2] {
        self.dims
    }

    fn apply(&self, z: State) -> State {
        let a = self.matrix(&z);
        z.matmul(a.transpose())
    }

    fn adjoint(&self, y: State) -> State {
        let a = self.matrix(&y);
        y.matmul(a)
    }
}

/// Averages squares of factor × factor pixels: super-resolution. Images are rows of channels × height ×
/// width numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downsample {
    channels: usize,
    height: usize,
    width: usize,
    factor: usize,
}

impl Downsample {
    /// Of images of this size.
    ///
    /// # Errors
    /// [`InverseError::Factor`] where the factor does not divide height and width, or a size is 0.
    pub fn new(
        channels: usize,
        height: usize,
        width: usize,
        factor: usize,
    ) -> Result<Self, InverseError> {
        let fits = |n: usize| n > 0 && factor > 0 && n.is_multiple_of(factor);
        match channels > 0 && fits(height) && fits(width) {
            true => Ok(Self {
                channels,
                height,
                width,
                factor,
            }),
            false => Err(InverseError::Factor {
                height,
                width,
                factor,
            }),
        }
    }

    /// Blocks of a batch's images: rows of blocks, the row within a block, blocks, the column within.
    fn blocks(&self, rows: usize) -> [usize; 4] {
        let f = self.factor;
        [
            rows * self.channels * (self.height / f),
            f,
            self.width / f,
            f,
        ]
    }
}

impl LinearOperator for Downsample {
    fn dims(&self) -> [usize; 2] {
        let d = self.channels * self.height * self.width;
        [d / (self.factor * self.factor), d]
    }

    fn apply(&self, z: State) -> State {
        let rows = z.dims()[0];
        let blocks = z.reshape(self.blocks(rows));
        blocks
            .mean_dim(1)
            .mean_dim(3)
            .reshape([rows, self.dims()[0]])
    }

    fn adjoint(&self, y: State) -> State {
        let rows = y.dims()[0];
        let [n, f, m, _] = self.blocks(rows);
        let share = y.mul_scalar(1.0 / (f * f) as f64).reshape([n, 1, m, 1]);
        share.expand([n, f, m, f]).reshape([rows, self.dims()[1]])
    }
}
