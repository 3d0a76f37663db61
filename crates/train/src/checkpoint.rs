//! Weights in safetensors, and everything else a training needs to go on.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use crate::alarm::Alarm;
use crate::config::Average;
use crate::params::{self, HostTensor};
use crate::run::write_atomic;
use crate::window::Window;
use crate::{Task, TrainError, Trainer};

/// The weights of a module as the bytes of a safetensors file, names like `down.0.blocks.1.weight`.
///
/// Linear weights are `[in, out]` (PyTorch keeps them transposed), convolutions
/// `[out, in, height, width]`.
pub fn save_weights<M: Module>(module: &M) -> Vec<u8> {
    serialize(&params::collect(module))
}

pub(crate) fn serialize(tensors: &[HostTensor]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|t| t.values.iter().flat_map(|v| v.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|(t, bytes)| {
        let view = TensorView::new(Dtype::F32, t.shape.clone(), bytes);
        (&t.name, view.expect("four bytes a value"))
    });
    let about = HashMap::from([(
        "format".to_owned(),
        format!("fokker {}", env!("CARGO_PKG_VERSION")),
    )]);
    safetensors::serialize(views, Some(about)).expect("names are distinct")
}

/// Loads the weights that [`save_weights`] wrote into a module of the same shape on `device`.
///
/// # Errors
/// A file that is no safetensors file, and weights of another network: the message names the first
/// three tensors that do not fit.
pub fn load_weights<M: Module>(
    module: M,
    bytes: &[u8],
    path: &Path,
    device: &Device,
) -> Result<M, TrainError> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| {
        TrainError::run(
            path,
            format!("not a readable safetensors file ({e}); it may be truncated: remove its folder to go on from the checkpoint before"),
        )
    })?;
    let mut wrong = Vec::new();
    let mut used = 0;
    let module = params::replace(
        module,
        &mut |name, shape| match file.tensor(name) {
            Err(_) => {
                wrong.push(format!("{name} {shape:?} is missing"));
                None
            }
            Ok(t) if t.shape() != shape || t.dtype() != Dtype::F32 => {
                let got = (t.dtype(), t.shape());
                wrong.push(format!(
                    "{name} is {:?} {:?}, expected F32 {shape:?}",
                    got.0, got.1
                ));
                None
            }
            Ok(t) => {
                used += 1;
                let four = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
                Some(t.data().chunks_exact(4).map(four).collect())
            }
        },
        device,
    );
    if wrong.is_empty() && used < file.len() {
        let known: Vec<String> = params::collect(&module)
            .into_iter()
            .map(|t| t.name)
            .collect();
        let mut extra = file.names();
        extra.sort_unstable();
        extra.retain(|n| !known.iter().any(|k| k == n));
        wrong.extend(extra.iter().map(|n| format!("{n} has no place")));
    }
    if wrong.is_empty() {
        return Ok(module);
    }
    let more = wrong.len().saturating_sub(3);
    wrong.truncate(3);
    if more > 0 {
        wrong.push(format!("and {more} more"));
    }
    let what = format!("weights of another network: {}", wrong.join("; "));
    Err(TrainError::run(path, what))
}

/// A checkpoint's folder: `model.safetensors`, `ema.safetensors`, `ema-0.05.safetensors` …, `optimizer.burnpack`, `state.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The folder.
    pub path: PathBuf,
    /// Steps done when it was written.
    pub step: u64,
}

#[derive(Serialize, Deserialize)]
struct State {
    step: u64,
    window: Window,
    #[serde(default)]
    alarm: Alarm,
}

/// The file of an average inside a checkpoint.
fn file_name(which: Average) -> String {
    match which {
        Average::Weights => "model.safetensors".into(),
        Average::Constant => "ema.safetensors".into(),
        Average::Power(sigma) => format!("ema-{sigma}.safetensors"),
    }
}

const OPTIMIZER: &str = "optimizer.burnpack";
const STATE: &str = "state.json";

impl Checkpoint {
    /// The folder's name for a step.
    pub(crate) fn folder(step: u64) -> String {
        format!("step-{step:08}")
    }

    /// The checkpoint of a folder named like `step-00001000`.
    pub(crate) fn from_path(path: PathBuf) -> Option<Self> {
        let step = path.file_name()?.to_str()?.strip_prefix("step-")?;
        let step = step.parse().ok()?;
        path.join(STATE).is_file().then_some(Self { path, step })
    }

    /// The file of an average, or of the weights as trained.
    pub fn file(&self, which: Average) -> PathBuf {
        self.path.join(file_name(which))
    }

    /// The weights to sample from unless told otherwise: the constant average where there is one.
    pub fn weights(&self) -> PathBuf {
        let ema = self.file(Average::Constant);
        if ema.is_file() {
            ema
        } else {
            self.file(Average::Weights)
        }
    }

    /// Sixteen hexadecimal digits that differ (but for chance) between weights that differ.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn fingerprint(&self) -> Result<String, TrainError> {
        let hash = blake3::hash(&read(&self.weights())?);
        Ok(hash.to_hex()[..16].to_owned())
    }

    /// The file of everything but weights.
    pub(crate) fn state(&self) -> PathBuf {
        self.path.join(STATE)
    }

    /// Loads the weights to sample from into `module`.
    pub fn load_model<M: Module>(&self, module: M, device: &Device) -> Result<M, TrainError> {
        let path = self.weights();
        let bytes = read(&path)?;
        load_weights(module, &bytes, &path, device)
    }

    /// Writes the trainer's state to the folder `parent/step-…`, all of it or nothing.
    pub(crate) fn save<N: Module, T: Task<N>>(
        trainer: &Trainer<N, T>,
        parent: &Path,
    ) -> Result<Self, TrainError> {
        let name = Self::folder(trainer.step);
        let path = parent.join(&name);
        let partial = parent.join(format!(".{name}.tmp"));
        let state = State {
            step: trainer.step,
            window: trainer.window.clone(),
            alarm: trainer.alarm,
        };
        let write = || -> Result<(), TrainError> {
            fs::create_dir_all(&partial).map_err(TrainError::io("create", &partial))?;
            let optimizer = trainer.optimizer.to_bytes();
            let optimizer = optimizer.map_err(|e| TrainError::run(&path, e))?;
            let model = partial.join(file_name(Average::Weights));
            write_atomic(&model, &save_weights(trainer.net()))?;
            for (which, average) in trainer.averages.iter() {
                write_atomic(&partial.join(file_name(*which)), &save_weights(average))?;
            }
            write_atomic(&partial.join(OPTIMIZER), &optimizer)?;
            let state = serde_json::to_vec(&state).expect("plain numbers");
            write_atomic(&partial.join(STATE), &state)?;
            if path.exists() {
                fs::remove_dir_all(&path).map_err(TrainError::io("replace", &path))?;
            }
            fs::rename(&partial, &path).map_err(TrainError::io("write", &path))
        };
        write().inspect_err(|_| drop(fs::remove_dir_all(&partial)))?;
        Ok(Self {
            path,
            step: trainer.step,
        })
    }

    /// Writes weights alone as the checkpoint of step 0: enough to sample from, not to train on.
    pub(crate) fn of_weights(weights: &[u8], parent: &Path) -> Result<Self, TrainError> {
        let path = parent.join(Self::folder(0));
        fs::create_dir_all(&path).map_err(TrainError::io("create", &path))?;
        write_atomic(&path.join(file_name(Average::Weights)), weights)?;
        let state = State {
            step: 0,
            window: Window::default(),
            alarm: Alarm::default(),
        };
        let state = serde_json::to_vec(&state).expect("plain numbers");
        write_atomic(&path.join(STATE), &state)?;
        Ok(Self { path, step: 0 })
    }

    /// Brings a fresh trainer of the same recipe to the checkpoint's state.
    pub(crate) fn restore<N: Module, T: Task<N>>(
        &self,
        mut trainer: Trainer<N, T>,
        device: &Device,
    ) -> Result<Trainer<N, T>, TrainError> {
        let path = self.path.join(STATE);
        let state: State = serde_json::from_slice(&read(&path)?)
            .map_err(|e| TrainError::run(&path, format!("not a readable state ({e})")))?;
        let path = self.file(Average::Weights);
        let net = load_weights(trainer.net().clone(), &read(&path)?, &path, device)?;
        trainer.set_net(net);
        let inner = device.clone().without_autodiff();
        trainer.averages = trainer.averages.try_map(|which, average| {
            let path = self.file(which);
            load_weights(average, &read(&path)?, &path, &inner)
        })?;
        let path = self.path.join(OPTIMIZER);
        if !path.is_file() {
            let what = "the optimizer's state is missing, as it is beside imported weights: there is no training to go on with, only a model to sample from";
            return Err(TrainError::run(&self.path, what));
        }
        let bytes = read(&path)?;
        trainer.optimizer = trainer
            .optimizer
            .with_bytes(bytes)
            .map_err(|e| TrainError::run(&path, format!("not a readable optimizer state ({e})")))?;
        trainer.step = state.step;
        trainer.window = state.window;
        trainer.alarm = state.alarm;
        Ok(trainer)
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TrainError> {
    fs::read(path).map_err(TrainError::io("read", path))
}
