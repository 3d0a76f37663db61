//! Data sets without tensors: toy distributions, IDX, image folders, NumPy arrays and a small set of garments that
//! the binary carries in itself. And the way out: trajectories of any number, streamed to `.npy`, `.csv` or `.parquet` by
//! a [`TableWriter`].
//!
//! Every set is a [`Dataset`]: items of one [`Shape`], addressed by number. Sets read from files are [`Memory`] and were
//! checked when they were read; toys are distributions from which any number of points can be drawn. Nothing rescales
//! values unasked: images are in [-1, 1], vectors are as they were stored.
//!
//! ```
//! use fokker_data::{Dataset, ToyConfig, garments, toy};
//!
//! let moons = toy(&ToyConfig::new("moons"))?;
//! let mut point = [0.0; 2];
//! let label = moons.item(7, &mut point);
//! assert!(label < Some(2));
//!
//! let garments = garments();
//! assert_eq!(garments.shape().to_string(), "1×28×28");
//! assert_eq!(garments.len(), Some(2000));
//! # Ok::<(), fokker_data::DataError>(())
//! ```

mod atomic;
mod dataset;
mod digits;
mod error;
mod folder;
mod garments;
mod idx;
mod memory;
mod npy;
mod padded;
mod source;
mod stream;
mod toy;

pub use atomic::{AtomicFile, write_atomic};
pub use dataset::{Dataset, Shape};
pub use digits::read_digits;
pub use error::DataError;
pub use folder::{Fit, FolderOptions, MAX_SIDE, read_folder, read_picture};
pub use garments::{FASHION_CLASSES, garments};
pub use idx::{Split, idx_dir, read_idx};
pub use memory::{MAX_CLASSES, Memory};
pub use npy::{read_npy, read_npz, write_npy, write_npy_to};
pub use padded::Padded;
pub use stream::{
    Dtype, Format, TableSpec, TableWriter, Values, check_room, component_names, estimated_bytes,
};
pub use toy::{MAX_MODES, Modes, TOYS, Toy, ToyConfig, ToySpec, toy};
