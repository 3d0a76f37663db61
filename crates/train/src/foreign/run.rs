use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use fokker_data::{Dataset, Shape};
use fokker_nn::{Autoencoder, Init};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::elsewhere::Elsewhere;
use super::engine::{Facts, Table, Theirs};
use super::{Family, Hints, Source, diffusers};
use crate::config::{Config, NetworkConfig};
use crate::run::write_atomic;
use crate::{
    AnyAutoencoder, AnyNetwork, Checkpoint, LatentInfo, RunFolder, RunInfo, TrainError,
    save_weights,
};

/// Makes the run folder `folder` of foreign weights, from which samples are made like from any other.
///
/// # Errors
/// Weights that are not of the family, or of which too little is known; a folder that exists. Nothing is left behind then.
pub fn import(
    source: &Source,
    family: &Family,
    hints: &Hints,
    folder: &Path,
) -> Result<RunFolder, TrainError> {
    let refuse = |what: String| TrainError::run(source.dict.path(), what);
    let plan = (family.plan)(source, hints).map_err(refuse)?;
    let classes = match &hints.names {
        Some(names) if names.len() != plan.classes => {
            let (given, classes) = (names.len(), plan.classes);
            return Err(refuse(format!(
                "knows {classes} classes, but {given} names are given"
            )));
        }
        Some(names) => names.clone(),
        None => (0..plan.classes).map(|k| k.to_string()).collect(),
    };
    let told = format!("what {} tells", source.dict.path().display());
    let latent = hints.autoencoder.as_deref();
    let config = plan.config(name_of(folder), &told, latent)?;
    // The data are images where the network works in latents.
    let shape = match &config.latent {
        None => image_shape(plan.image),
        Some(latent) => latent.open()?.info().shape()?,
    };
    if shape.size() == 0 {
        return Err(refuse(format!("the images would be {shape}")));
    }
    let null = plan.null;
    let elsewhere = Elsewhere { shape, classes };
    let own = image_shape(plan.image);
    write(
        source,
        family,
        config,
        &elsewhere,
        (null, Some(own)),
        folder,
    )
}

fn image_shape([channels, height, width]: [usize; 3]) -> Shape {
    Shape::Image {
        channels,
        height,
        width,
    }
}

fn name_of(path: &Path) -> &str {
    let name = path.file_name().and_then(|n| n.to_str());
    name.unwrap_or("imported")
}

/// The same with a recipe, which says what the network is, what it is asked for and what data it knows.
///
/// # Errors
/// As [`import`]; data that cannot be read.
pub fn import_as(
    source: &Source,
    family: &Family,
    config: Config,
    folder: &Path,
) -> Result<RunFolder, TrainError> {
    if !(family.takes)(&config.network) {
        let what = format!(
            "network: the family {} has no {} of this form",
            family.name,
            config.network.name()
        );
        return Err(TrainError::Config(what));
    }
    let data = config.data.load(config.seed)?;
    // There is one set of weights, and no average beside it.
    let mut config = config;
    config.training.ema.decay = 0.0;
    config.training.ema.power.clear();
    config.sample.ema = None;
    write(source, family, config, &*data, (true, None), folder)
}

/// `null`: their table of classes has a row for ∅. `own`: the shape that the weights tell the network works on.
fn write(
    source: &Source,
    family: &Family,
    config: Config,
    data: &dyn Dataset,
    (null, own): (bool, Option<Shape>),
    folder: &Path,
) -> Result<RunFolder, TrainError> {
    let refuse = |what: String| TrainError::run(source.dict.path(), what);
    let latent = latent_info(&config, data, &Device::flex())?;
    // With autodiff, so that what would be trained can be counted.
    let device = Device::flex().autodiff();
    let shape = latent.as_ref().map_or(data.shape(), LatentInfo::shape);
    if let Some(own) = own.filter(|own| *own != shape) {
        return Err(refuse(format!(
            "works on {own}, but the autoencoder's latents are {shape}; --size sets the size that the weights leave open"
        )));
    }
    let Some(image) = shape.image() else {
        return Err(refuse(format!(
            "networks of images, but the data is vectors of {shape}"
        )));
    };
    let table = table(family, &config, image, null);
    let init = &mut Init::new(0, &device);
    let conditional = config.objective.classes;
    let (weights, parameters) = if config.is_autoencoder() {
        let net = AnyAutoencoder::new(&config.network, shape, init)?;
        brought(&table, net, source, &device)
    } else {
        let classes = if conditional { data.classes().len() } else { 0 };
        let outputs = config.objective.parametrization().outputs();
        let net = AnyNetwork::new(&config.network, shape, outputs, classes, init)?;
        brought(&table, net, source, &device)
    }
    .map_err(refuse)?;
    let info = RunInfo {
        latent,
        ..RunInfo::new(data, conditional, parameters)
    };
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let what = "this folder exists and is not empty; choose another with --out";
        return Err(TrainError::run(folder, what));
    }
    // Made beside its place and moved there when complete.
    let partial = folder.with_file_name(format!(".{}.tmp", name_of(folder)));
    let make = || -> Result<(), TrainError> {
        drop(RunFolder::create(&partial, config, info)?);
        Checkpoint::of_weights(&weights, &RunFolder::checkpoints_of(&partial))?;
        if folder.is_dir() {
            fs::remove_dir(folder).map_err(TrainError::io("replace", folder))?;
        }
        fs::rename(&partial, folder).map_err(TrainError::io("write", folder))
    };
    make().inspect_err(|_| drop(fs::remove_dir_all(&partial)))?;
    RunFolder::open(folder)
}

/// What a recipe's network works in, if not in the data: the latents as their autoencoder scales them.
fn latent_info(
    config: &Config,
    data: &dyn Dataset,
    device: &Device,
) -> Result<Option<LatentInfo>, TrainError> {
    let Some(latent) = &config.latent else {
        return Ok(None);
    };
    let (net, checkpoint) = latent.open()?.autoencoder_for(data, device)?;
    Ok(Some(LatentInfo {
        autoencoder: checkpoint.fingerprint()?,
        shape: net.latent(),
        mean: net.shift(),
        std: 1.0 / net.scaling(),
    }))
}

/// The bytes of the module's weights as we keep them, and how many numbers are trained.
fn brought<M: Module>(
    table: &Table,
    module: M,
    source: &Source,
    device: &Device,
) -> Result<(Vec<u8>, usize), String> {
    let module = table.bring(module, &source.dict, device)?;
    Ok((save_weights(&module), crate::params::trained(&module)))
}

fn table(family: &Family, config: &Config, image: [usize; 3], null: bool) -> Table {
    let positions = match &config.network {
        NetworkConfig::DiT(net) => {
            let p = net.patch.max(1);
            Some((net.width, [image[1] / p, image[2] / p]))
        }
        _ => None,
    };
    let facts = Facts {
        channels: image[0],
        positions,
        null,
    };
    Table::new(family.rows, facts)
}

/// Writes the weights that a run is sampled with as others read them: a safetensors file, where `out` ends in
/// `.safetensors`, or else a folder of it and, for diffusers, its `config.json` and `scheduler_config.json`.
///
/// # Errors
/// A network that is not of the family; a file or folder that is there already or cannot be written.
pub fn export(run: &RunFolder, family: &Family, out: &Path) -> Result<(), TrainError> {
    let refuse = |what: String| TrainError::run(run.path(), what);
    let config = run.config();
    let Some(image) = run.info().state_shape()?.image() else {
        return Err(refuse(
            "makes points; others' networks are of images".into(),
        ));
    };
    if !(family.takes)(&config.network) {
        let fitting = super::FAMILIES
            .iter()
            .filter(|f| (f.takes)(&config.network));
        let fitting: Vec<&str> = fitting.map(|f| f.name).collect();
        let instead = match &fitting[..] {
            [] => "no family has it".to_owned(),
            names => format!("the families {} have it", names.join(", ")),
        };
        let what = format!(
            "its {} is not of the family {}; {instead}",
            config.network.name(),
            family.name
        );
        return Err(refuse(what));
    }
    if out.exists() {
        let what = "exists already; choose another place with --out";
        return Err(TrainError::run(out, what));
    }
    let device = Device::flex();
    let null = config.objective.label_drop > 0.0;
    let table = table(family, config, image, null);
    let sent = if config.is_autoencoder() {
        table.send(&run.autoencoder(&device)?.0)
    } else {
        table.send(&run.flow(&device)?.0.network)
    };
    let weights = serialized(&sent.map_err(refuse)?);
    if out.extension().is_some_and(|e| e == "safetensors") {
        return write_atomic(out, &weights);
    }
    let mut files = vec![("model.safetensors", weights)];
    if family.folder.is_some() {
        let classes = run.info().classes.len();
        let described = diffusers::describe(config, image, classes, null).map_err(refuse)?;
        files[0].0 = "diffusion_pytorch_model.safetensors";
        files.push(("config.json", pretty(&described)));
        if let Some(scheduler) = diffusers::describe_scheduler(config) {
            files.push(("scheduler_config.json", pretty(&scheduler)));
        }
    }
    let name = out
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or("exported");
    let partial = out.with_file_name(format!(".{name}.tmp"));
    let make = || -> Result<(), TrainError> {
        fs::create_dir_all(&partial).map_err(TrainError::io("create", &partial))?;
        for (name, bytes) in &files {
            write_atomic(&partial.join(name), bytes)?;
        }
        fs::rename(&partial, out).map_err(TrainError::io("write", out))
    };
    make().inspect_err(|_| drop(fs::remove_dir_all(&partial)))
}

fn pretty(value: &serde_json::Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("plain values");
    bytes.push(b'\n');
    bytes
}

fn serialized(tensors: &BTreeMap<String, Theirs>) -> Vec<u8> {
    let zero = 0_i64.to_le_bytes();
    let floats =
        |values: &Vec<f32>| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
    let bytes = tensors.values().map(|t| match t {
        Theirs::Floats(_, values) => floats(values),
        Theirs::Counter => zero.to_vec(),
    });
    let bytes: Vec<Vec<u8>> = bytes.collect();
    let views = tensors.iter().zip(&bytes).map(|((name, tensor), bytes)| {
        let (dtype, shape) = match tensor {
            Theirs::Floats(shape, _) => (Dtype::F32, shape.clone()),
            Theirs::Counter => (Dtype::I64, Vec::new()),
        };
        let view = TensorView::new(dtype, shape, bytes).expect("as many bytes as the shape says");
        (name, view)
    });
    // diffusers asks which framework the tensors are of.
    let about = [("format".to_owned(), "pt".to_owned())].into();
    safetensors::serialize(views, Some(about)).expect("names are distinct")
}
