//! Tensors by name, as another program wrote them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;

use super::torch_file;
use crate::TrainError;

/// What a tensor's numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F16,
    Bf16,
    F32,
    F64,
    /// Integers and booleans of so many bytes: counters, which no network of ours reads.
    Whole(usize),
}

impl Kind {
    /// Bytes of a number.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Whole(n) => n,
        }
    }
}

/// Where a tensor lies.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) kind: Kind,
    pub(super) shape: Vec<usize>,
    /// In numbers, not bytes.
    pub(super) strides: Vec<usize>,
    /// The number of the storage.
    pub(super) storage: usize,
    /// The first byte in it.
    pub(super) first: usize,
}

impl Stored {
    /// Row-major strides of a shape.
    pub(super) fn row_major(shape: &[usize]) -> Vec<usize> {
        let mut strides = vec![1_usize; shape.len()];
        for i in (1..shape.len()).rev() {
            strides[i - 1] = strides[i].saturating_mul(shape[i]);
        }
        strides
    }

    /// Whether every number lies within a storage of `len` bytes.
    fn fits(&self, len: usize) -> bool {
        if self.shape.len() != self.strides.len() {
            return false;
        }
        if self.shape.contains(&0) {
            return true;
        }
        let last = self
            .shape
            .iter()
            .zip(&self.strides)
            .try_fold(0, |sum: usize, (n, s)| {
                sum.checked_add((n - 1).checked_mul(*s)?)
            });
        let end = last
            .and_then(|last| last.checked_add(1))
            .and_then(|n| n.checked_mul(self.kind.bytes()))
            .and_then(|n| n.checked_add(self.first));
        // A stride of 0 would let a few bytes stand for any number of numbers.
        let count = self
            .shape
            .iter()
            .try_fold(1, |c: usize, n| c.checked_mul(*n));
        let enough = count
            .and_then(|c| c.checked_mul(self.kind.bytes()))
            .is_some_and(|bytes| bytes <= len);
        end.is_some_and(|end| end <= len) && enough
    }
}

/// The tensors of a file by name: safetensors, or what `torch.save` wrote.
#[derive(Debug)]
pub struct StateDict {
    path: PathBuf,
    storages: Vec<Vec<u8>>,
    tensors: BTreeMap<String, Stored>,
}

/// What other programs put before every name where they wrap a module.
const PREFIXES: [&str; 2] = ["module.", "_orig_mod."];

impl StateDict {
    /// Reads a file; what it is is seen from its first bytes.
    ///
    /// # Errors
    /// A file that cannot be read, or is neither.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let bytes = fs::read(path).map_err(TrainError::io("read", path))?;
        Self::parse(bytes, path)
    }

    /// The same from the bytes of a file; `path` is for messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(bytes: Vec<u8>, path: &Path) -> Result<Self, TrainError> {
        let refuse = |what: String| TrainError::run(path, what);
        let (storages, tensors) = match bytes.get(..2) {
            Some(b"PK") => torch_file::read(bytes).map_err(refuse)?,
            // A pickle of its own: torch.save before version 1.6.
            Some([0x80, 2..=5]) => return Err(refuse(OLD.into())),
            _ => {
                let tensors = safetensors(&bytes).map_err(refuse)?;
                (vec![bytes], tensors)
            }
        };
        for (name, tensor) in &tensors {
            let len = storages.get(tensor.storage).map_or(0, Vec::len);
            if !tensor.fits(len) {
                return Err(refuse(format!(
                    "the tensor {name} of shape {:?} does not lie within the file; it may be truncated",
                    tensor.shape
                )));
            }
        }
        let mut dict = Self {
            path: path.to_owned(),
            storages,
            tensors,
        };
        dict.strip_prefixes();
        if dict.tensors.is_empty() {
            return Err(refuse("there are no tensors in this file".into()));
        }
        Ok(dict)
    }

    /// Takes away what stands before every name.
    fn strip_prefixes(&mut self) {
        for prefix in PREFIXES {
            if self.tensors.keys().all(|name| name.starts_with(prefix)) {
                let tensors = std::mem::take(&mut self.tensors);
                let bare = |(name, t): (String, Stored)| (name[prefix.len()..].to_owned(), t);
                self.tensors = tensors.into_iter().map(bare).collect();
            }
        }
    }

    /// Gives tensors whose names hold an old part the new one.
    pub(super) fn rename(&mut self, parts: &[(&str, &str)]) {
        let tensors = std::mem::take(&mut self.tensors);
        let new = |name: String| {
            parts
                .iter()
                .fold(name, |name, (old, new)| name.replace(old, new))
        };
        self.tensors = tensors
            .into_iter()
            .map(|(name, t)| (new(name), t))
            .collect();
    }

    /// The file it came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|t| &t.shape[..])
    }

    /// The numbers of a tensor, row by row, as f32; `None` for whole numbers and names that are not there.
    pub fn values(&self, name: &str) -> Option<Vec<f32>> {
        let tensor = self.tensors.get(name)?;
        let bytes = &self.storages[tensor.storage];
        let number: fn(&[u8]) -> f32 = match tensor.kind {
            Kind::F32 => |b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
            Kind::F64 => |b| f64::from_le_bytes(std::array::from_fn(|i| b[i])) as f32,
            Kind::Bf16 => |b| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16),
            Kind::F16 => |b| half(u16::from_le_bytes([b[0], b[1]])),
            Kind::Whole(_) => return None,
        };
        let size = tensor.kind.bytes();
        let count: usize = tensor.shape.iter().product();
        let bytes = &bytes[tensor.first..];
        if tensor.strides == Stored::row_major(&tensor.shape) {
            return Some(
                bytes[..count * size]
                    .chunks_exact(size)
                    .map(number)
                    .collect(),
            );
        }
        let at = |mut i: usize| {
            let mut place = 0;
            for (n, stride) in tensor.shape.iter().zip(&tensor.strides).rev() {
                place += (i % n) * stride;
                i /= n;
            }
            number(&bytes[place * size..])
        };
        Some((0..count).map(at).collect())
    }
}

const OLD: &str = "this is an old PyTorch file (before version 1.6, or not zipped), which is not read; convert it in Python: \
                   torch.save(torch.load(\"FILE\", map_location=\"cpu\"), \"NEW.pt\")";

fn safetensors(bytes: &[u8]) -> Result<BTreeMap<String, Stored>, String> {
    let what = "neither a safetensors file nor one that torch.save wrote";
    let file = SafeTensors::deserialize(bytes).map_err(|e| format!("{what} ({e})"))?;
    let start = bytes.as_ptr() as usize;
    let stored = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
        use safetensors::Dtype;
        let kind = match view.dtype() {
            Dtype::F16 => Kind::F16,
            Dtype::BF16 => Kind::Bf16,
            Dtype::F32 => Kind::F32,
            Dtype::F64 => Kind::F64,
            Dtype::BOOL | Dtype::U8 | Dtype::I8 => Kind::Whole(1),
            Dtype::U16 | Dtype::I16 => Kind::Whole(2),
            Dtype::U32 | Dtype::I32 => Kind::Whole(4),
            Dtype::U64 | Dtype::I64 => Kind::Whole(8),
            other => return Err(format!("the tensor {name} is {other:?}, which is not read")),
        };
        let shape = view.shape().to_vec();
        let stored = Stored {
            kind,
            strides: Stored::row_major(&shape),
            shape,
            storage: 0,
            first: view.data().as_ptr() as usize - start,
        };
        Ok((name, stored))
    };
    file.tensors().into_iter().map(stored).collect()
}

/// A number of 16 bits: sign, five bits of exponent, ten of fraction.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let (exponent, fraction) = (u32::from(bits >> 10) & 31, u32::from(bits) & 1023);
    match exponent {
        0 => {
            // Zero and subnormal numbers: fraction · 2⁻²⁴, exactly.
            let size = fraction as f32 * (-24_f32).exp2();
            f32::from_bits(size.to_bits() | sign)
        }
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}
