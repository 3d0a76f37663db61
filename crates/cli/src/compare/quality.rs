//! How good samples are, as one number.

use anyhow::{Context, Result};
use fokker::eval::metrics::{Moments, frechet};
use fokker::sim::rng::{Purpose, permutation};
use fokker::train::Judge;
use fokker::{Dataset, Draw, Shape};

use crate::distance::{DataPairs, POINTS};
use crate::progress::Progress;
use crate::sample::Source;
use crate::stop;

/// Images of the data at most.
const IMAGES: usize = 10_000;

/// Rows whose features are found at a time.
const ROWS: usize = 500;

/// What samples are held against.
pub(super) enum Quality {
    /// Points: sets of the data, and how far those are apart.
    Points {
        pairs: DataPairs,
        floor: f64,
        /// The standard error of `floor`, relative.
        luck: f64,
    },
    /// Images: the features of the data, and how far held-back images are from them.
    Features {
        judge: Box<Judge>,
        data: Moments,
        images: usize,
        floor: Option<f64>,
    },
    /// Nothing but the fine solution.
    Solution,
}

impl Quality {
    /// For `draw.count` samples; a count that does not fit whole sets becomes less. Samples have their classes as often
    /// as the data. `None` on Ctrl-C.
    pub(super) fn of(
        source: &Source,
        judge: Option<Judge>,
        draw: &mut Draw,
    ) -> Result<Option<Self>> {
        let data = source.run.data()?;
        let Some(judge) = judge else {
            if matches!(source.shape, Shape::Image { .. }) {
                return Ok(Some(Self::Solution));
            }
            let points = draw.count.min(POINTS);
            let pairs = DataPairs::draw(&*data, draw.count / points, points)?;
            draw.count = pairs.count();
            if source.flow.classes > 0 {
                draw.classes = pairs.classes();
            }
            let (floor, std) = pairs.floor()?;
            let luck = std / (draw.count as f64 / pairs.points as f64).sqrt() / floor;
            return Ok(Some(Self::Points { pairs, floor, luck }));
        };
        let n = data.len().context("image data without end")? as usize;
        let images = n.min(IMAGES);
        let order = permutation(0, Purpose::Project, 0, n);
        let test = source.run.config().data.load_test()?;
        // Held-back images, or such of the training's as are not among those of the data: as many as samples.
        let rest = match &test {
            Some(test) => {
                let n = test.len().unwrap_or(0) as usize;
                Some((&**test, permutation(0, Purpose::Project, 1, n)))
            }
            None => Some((&*data, order[images..].to_vec())),
        };
        let rest = rest.filter(|(_, order)| order.len() >= draw.count);
        let total = images + rest.as_ref().map_or(0, |_| draw.count);
        let mut bar = Progress::new("features", 0, total as u64);
        let Some(data) = features(&judge, &*data, &order[..images], &mut bar, 0) else {
            return Ok(None);
        };
        let data = moments(&data, images)?;
        let floor = match rest {
            None => None,
            Some((test, order)) => {
                let Some(test) = features(&judge, test, &order[..draw.count], &mut bar, images)
                else {
                    return Ok(None);
                };
                Some(frechet(&moments(&test, draw.count)?, &data)?)
            }
        };
        bar.finish(&format!("{total} images"));
        Ok(Some(Self::Features {
            judge: Box::new(judge),
            data,
            images,
            floor,
        }))
    }

    /// The distance of samples to the data: over that of data to data for points, the Fréchet distance for images.
    pub(super) fn distance(&self, values: &[f32], dim: usize) -> Result<Option<f64>> {
        match self {
            Self::Points { pairs, floor, .. } => {
                let values: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
                Ok(Some(pairs.distance(&values)?.0 / floor))
            }
            Self::Features { judge, data, .. } => {
                let found = moments(&judge.features(values, dim), values.len() / dim)?;
                Ok(Some(frechet(&found, data)?))
            }
            Self::Solution => Ok(None),
        }
    }

    /// Its name, for the axis and the head of the table.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Points { .. } => "2-Wasserstein distance to the data, over that of data to data",
            Self::Features { .. } => "Fréchet distance to the data in the judge's features",
            Self::Solution => "distance to the fine solution",
        }
    }

    /// What is known of its least value.
    pub(super) fn floor(&self) -> Option<String> {
        match self {
            // Samplers without noise of their own share their luck, as they share the start.
            Self::Points { floor, luck, .. } if *luck > 0.0 => Some(format!(
                "data to data {floor:.4}: 1 is perfect, ± {luck:.2} by luck"
            )),
            Self::Points { floor, .. } => Some(format!("data to data {floor:.4}: 1 is perfect")),
            Self::Features {
                floor: Some(floor),
                images,
                ..
            } => Some(format!(
                "as many other images of the data are {floor:.3} from the {images}"
            )),
            _ => None,
        }
    }
}

/// The moments of the features of this many images.
fn moments(features: &[f32], images: usize) -> Result<Moments> {
    Ok(Moments::of(features, features.len() / images.max(1))?)
}

/// The features of the rows `order` of the data; `None` on Ctrl-C.
fn features(
    judge: &Judge,
    data: &dyn Dataset,
    order: &[u32],
    bar: &mut Progress,
    before: usize,
) -> Option<Vec<f32>> {
    let dim = data.shape().size();
    let mut all = Vec::new();
    for (k, rows) in order.chunks(ROWS).enumerate() {
        if stop::asked() {
            return None;
        }
        let done = (before + k * ROWS) as u64;
        bar.set(done, || "images through the judge".into());
        let mut values = vec![0.0; rows.len() * dim];
        for (row, &i) in values.chunks_exact_mut(dim).zip(rows) {
            data.item(i.into(), row);
        }
        all.extend(judge.features(&values, dim));
    }
    Some(all)
}
