use std::io::{BufReader, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use fokker_data::{AtomicFile, Dataset, Shape};
use fokker_nn::Autoencoder;
use fokker_sim::rng::{Purpose, Stream};

use crate::latent_space::{ROWS, same_weights};
use crate::{LatentInfo, LatentSpace, RunFolder, TrainError};

/// Data as the latents of an autoencoder, encoded once: of every item the mean μ and the standard deviation σ of q(z|x).
///
/// As a data set, item i is (μ − m)/s, and draw k of a training sees (μ + σε − m)/s with ε of the address k. Held in memory:
/// 60,000 latents of 128×4×4 take 1 GB.
pub struct Latents {
    name: String,
    classes: Vec<String>,
    labels: Vec<Option<u32>>,
    info: LatentInfo,
    /// Of the noise ε.
    seed: u64,
    /// `[items, 2, dim]`.
    moments: Vec<f32>,
}

/// The folder of encoded data in an autoencoder's run.
const CACHE: &str = "latents";

/// Tells the seed of ε from the training's own.
const EPSILON: u64 = 0x4c41_5445_4e54_u64 << 8;

impl Latents {
    /// The latents of `data` by the autoencoder of `run`, read from the run's folder or encoded and kept there, under the
    /// fingerprints of data and weights. `watch` is told the items done, and may break off, which gives `None`.
    ///
    /// # Errors
    /// A run of something else, images of another size, data without end, latents that are no finite numbers.
    pub fn of(
        run: &RunFolder,
        data: Arc<dyn Dataset>,
        seed: u64,
        device: &Device,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Option<Self>, TrainError> {
        let refuse = |what: String| Err(TrainError::run(run.path(), what));
        let device = device.clone().without_autodiff();
        let (net, checkpoint) = run.autoencoder_for(&*data, &device)?;
        let Some(items) = data.len() else {
            return refuse("only finite data can be encoded beforehand".into());
        };
        let space = LatentSpace::plain(net, &device);
        let weights = checkpoint.fingerprint()?;
        // Another device rounds in another way.
        let place = blake3::hash(format!("{device:?}").as_bytes()).to_hex();
        let key = format!("{}-{weights}-{}", data.fingerprint(), &place[..8]);
        let numbers = items as usize * 2 * space.dim();
        let path = run.path().join(CACHE).join(format!("{key}.safetensors"));
        let moments = match read(&path, &space, items as usize) {
            Some(moments) => moments,
            None => match encode(&space, &*data, items, numbers, watch) {
                None => return Ok(None),
                Some(moments) => {
                    // A folder that cannot be written to only costs the next training the same time again.
                    drop(write(&path, &moments, &space, items as usize));
                    moments
                }
            },
        };
        if let Some(at) = moments.iter().position(|v| !v.is_finite()) {
            let item = at / (2 * space.dim());
            return refuse(format!("the latent of item {item} is no finite number"));
        }
        let (mean, std) = statistics(&moments, space.dim());
        let info = LatentInfo {
            autoencoder: weights,
            shape: space.autoencoder().latent(),
            mean,
            std,
        };
        Ok(Some(Self {
            name: format!("{} in latents", data.name()),
            classes: data.classes().to_vec(),
            labels: labels(&*data, items),
            info,
            seed: seed ^ EPSILON,
            moments,
        }))
    }

    /// The latents of a run's own data, for going on with it: by the autoencoder's run where it still has the same
    /// weights, else by the run's own copy.
    ///
    /// # Errors
    /// As [`of`](Self::of); an autoencoder that is not the one of the training.
    pub(crate) fn again(
        run: &RunFolder,
        data: Arc<dyn Dataset>,
        device: &Device,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Option<Self>, TrainError> {
        let (Some(latent), Some(info)) = (&run.config().latent, &run.info().latent) else {
            return Err(TrainError::run(
                run.path(),
                "run.json says nothing of latents",
            ));
        };
        let copy = run.autoencoder_copy()?;
        same_weights(&copy.latest()?, &info.autoencoder)?;
        let original = RunFolder::open(&latent.run).and_then(|run| {
            same_weights(&run.latest()?, &info.autoencoder)?;
            Ok(run)
        });
        let from = original.unwrap_or(copy);
        let found = Self::of(&from, data, run.config().seed, device, watch)?;
        // What was measured then goes on to hold.
        Ok(found.map(|latents| Self {
            info: info.clone(),
            ..latents
        }))
    }

    /// Facts about the latents.
    pub fn info(&self) -> &LatentInfo {
        &self.info
    }

    /// Mean and standard deviation of q(z|x) of item `index`.
    pub fn moments(&self, index: u64) -> (&[f32], &[f32]) {
        let dim = self.info.shape().size();
        let at = index as usize * 2 * dim;
        self.moments[at..at + 2 * dim].split_at(dim)
    }

    fn normalise(&self, z: f32) -> f32 {
        (z - self.info.mean as f32) / self.info.std as f32
    }
}

impl Dataset for Latents {
    fn name(&self) -> &str {
        &self.name
    }

    fn shape(&self) -> Shape {
        self.info.shape()
    }

    fn len(&self) -> Option<u64> {
        Some(self.labels.len() as u64)
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn item(&self, index: u64, out: &mut [f32]) -> Option<u32> {
        let mean = self.moments(index).0;
        out.iter_mut()
            .zip(mean)
            .for_each(|(to, z)| *to = self.normalise(*z));
        self.labels[index as usize]
    }

    fn drawn(&self, index: u64, draw: u64, out: &mut [f32]) -> Option<u32> {
        let (mean, sigma) = self.moments(index);
        Stream::new(self.seed, Purpose::Noise, draw, 0).normals(out);
        for ((to, mu), sigma) in out.iter_mut().zip(mean).zip(sigma) {
            *to = self.normalise(mu + sigma * *to);
        }
        self.labels[index as usize]
    }
}

/// The label of every item.
fn labels(data: &dyn Dataset, items: u64) -> Vec<Option<u32>> {
    let mut image = vec![0.0; data.shape().size()];
    (0..items).map(|i| data.item(i, &mut image)).collect()
}

/// μ and σ of every item; `None` where `watch` breaks.
fn encode(
    space: &LatentSpace,
    data: &dyn Dataset,
    items: u64,
    numbers: usize,
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Option<Vec<f32>> {
    let size = space.image_size();
    let mut moments = Vec::with_capacity(numbers);
    for first in (0..items).step_by(ROWS) {
        if watch(first).is_break() {
            return None;
        }
        let rows = (items - first).min(ROWS as u64);
        let mut images = vec![0.0; rows as usize * size];
        for (row, i) in images.chunks_exact_mut(size).zip(first..) {
            data.item(i, row);
        }
        moments.extend(space.moments(&images));
    }
    Some(moments)
}

/// Mean and standard deviation of μ + σε over all items, numbers and ε.
fn statistics(moments: &[f32], dim: usize) -> (f64, f64) {
    let (mut sum, mut square, mut n) = (0.0, 0.0, 0.0);
    for item in moments.chunks_exact(2 * dim) {
        let (mean, sigma) = item.split_at(dim);
        for (mu, sigma) in mean.iter().zip(sigma) {
            let (mu, sigma) = (f64::from(*mu), f64::from(*sigma));
            sum += mu;
            square += mu * mu + sigma * sigma;
            n += 1.0;
        }
    }
    let mean = sum / n;
    (
        mean,
        (square / n - mean * mean).max(f64::MIN_POSITIVE).sqrt(),
    )
}

/// The header of a safetensors file with the one tensor `moments`.
fn header(space: &LatentSpace, items: usize) -> String {
    let dim = space.dim();
    let end = items * 2 * dim * 4;
    let text = format!(
        "{{\"moments\":{{\"dtype\":\"F32\",\"shape\":[{items},2,{dim}],\"data_offsets\":[0,{end}]}}}}"
    );
    // Data begin at a multiple of eight bytes.
    let padding = (8 - text.len() % 8) % 8;
    text + &" ".repeat(padding)
}

/// All of the file or nothing.
fn write(
    path: &Path,
    moments: &[f32],
    space: &LatentSpace,
    items: usize,
) -> Result<(), TrainError> {
    let folder = path.parent().expect("a file in a folder");
    std::fs::create_dir_all(folder).map_err(TrainError::io("create", folder))?;
    let mut file = AtomicFile::create(path)?;
    let header = header(space, items);
    let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(TrainError::io("write", path));
    put(&(header.len() as u64).to_le_bytes())?;
    put(header.as_bytes())?;
    for chunk in moments.chunks(1 << 14) {
        let bytes: Vec<u8> = chunk.iter().flat_map(|v| v.to_le_bytes()).collect();
        put(&bytes)?;
    }
    file.finish()?;
    Ok(())
}

/// What [`write`] wrote for these sizes; `None` where there is no such file, or another one.
fn read(path: &Path, space: &LatentSpace, items: usize) -> Option<Vec<f32>> {
    let file = std::fs::File::open(path).ok()?;
    let header = header(space, items);
    let numbers = items * 2 * space.dim();
    if file.metadata().ok()?.len() != (8 + header.len() + 4 * numbers) as u64 {
        return None;
    }
    let mut file = BufReader::with_capacity(1 << 18, file);
    let mut start = vec![0; 8 + header.len()];
    file.read_exact(&mut start).ok()?;
    if &start[8..] != header.as_bytes() {
        return None;
    }
    let mut moments = Vec::with_capacity(numbers);
    let mut bytes = vec![0; 1 << 16];
    while moments.len() < numbers {
        let take = (4 * (numbers - moments.len())).min(bytes.len());
        file.read_exact(&mut bytes[..take]).ok()?;
        let four = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        moments.extend(bytes[..take].chunks_exact(4).map(four));
    }
    Some(moments)
}
