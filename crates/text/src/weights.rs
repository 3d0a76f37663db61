//! Tensors of a safetensors file by their names.

use std::path::PathBuf;

use burn::tensor::{Device, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors};

use crate::{Package, TextError};

/// The weights of a package, checked for name, type and shape as they are taken.
pub(crate) struct Weights<'a> {
    file: SafeTensors<'a>,
    path: PathBuf,
    device: &'a Device,
}

impl<'a> Weights<'a> {
    pub(crate) fn open(package: &'a Package, device: &'a Device) -> Result<Self, TextError> {
        let path = package.weights_path();
        let file = SafeTensors::deserialize(&package.weights).map_err(|e| {
            TextError::file(
                &path,
                format!("not a readable safetensors file ({e}); it may be truncated"),
            )
        })?;
        Ok(Self { file, path, device })
    }

    fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, TextError> {
        let refuse =
            |what: String| Err(TextError::file(&self.path, format!("tensor {name} {what}")));
        let Ok(tensor) = self.file.tensor(name) else {
            return refuse(
                "is missing; these are not weights of a sentence encoder of BERT's kind".into(),
            );
        };
        if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
            let (dtype, got) = (tensor.dtype(), tensor.shape());
            return refuse(format!("is {dtype:?} {got:?}, expected F32 {shape:?}"));
        }
        let (values, _) = tensor.data().as_chunks::<4>();
        Ok(values.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }

    /// A vector `[width]`.
    pub(crate) fn vector(&self, name: &str, width: usize) -> Result<Tensor<1>, TextError> {
        let values = self.values(name, &[width])?;
        Ok(Tensor::from_data(
            TensorData::new(values, [width]),
            self.device,
        ))
    }

    /// A matrix as it lies in the file.
    pub(crate) fn matrix(&self, name: &str, shape: [usize; 2]) -> Result<Tensor<2>, TextError> {
        let values = self.values(name, &shape)?;
        Ok(Tensor::from_data(
            TensorData::new(values, shape),
            self.device,
        ))
    }
}
