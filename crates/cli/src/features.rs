//! Images of a run's data in the features of a judge.

use anyhow::{Context, Result};
use fokker::Dataset;
use fokker::sim::rng::{Purpose, permutation};
use fokker::train::Judge;

use crate::progress::Progress;
use crate::sample::Source;
use crate::stop;

/// Images of the data at most.
const IMAGES: usize = 10_000;

/// Fewer other images say nothing.
const LEAST: usize = 200;

/// Rows whose features are found at a time.
const ROWS: usize = 500;

/// What samples are held against.
pub(crate) struct Features {
    /// Features of an image.
    pub(crate) width: usize,
    /// Of images of the training, `[images, width]` row by row.
    pub(crate) data: Vec<f32>,
    /// Of as many other images as there are samples, or as many as there are: held-back ones, or such of the training's as are
    /// not among those of the data. `None` where there are too few.
    pub(crate) rest: Option<Vec<f32>>,
    /// Is the rest held back from the training?
    pub(crate) held_back: bool,
}

impl Features {
    /// For `count` samples of the run; `None` on Ctrl-C.
    pub(crate) fn of(source: &Source, judge: &Judge, count: usize) -> Result<Option<Self>> {
        let data = source.run.data()?;
        let n = data.len().context("image data without end")? as usize;
        let images = n.min(IMAGES);
        let order = permutation(0, Purpose::Project, 0, n);
        let test = source.run.config().data.load_test()?;
        let rest = match &test {
            Some(test) => {
                let n = test.len().unwrap_or(0) as usize;
                (&**test, permutation(0, Purpose::Project, 1, n))
            }
            None => (&*data, order[images..].to_vec()),
        };
        let others = rest.1.len().min(count);
        let rest = Some(rest).filter(|_| others >= LEAST);
        let total = images + rest.as_ref().map_or(0, |_| others);
        let mut bar = Progress::new("features", 0, total as u64);
        let Some(of_data) = features(judge, &*data, &order[..images], &mut bar, 0) else {
            return Ok(None);
        };
        let rest = match rest {
            None => None,
            Some((test, order)) => {
                match features(judge, test, &order[..others], &mut bar, images) {
                    None => return Ok(None),
                    found => found,
                }
            }
        };
        bar.finish(&format!("{total} images"));
        Ok(Some(Self {
            width: of_data.len() / images,
            data: of_data,
            rest,
            held_back: test.is_some(),
        }))
    }

    /// How many of `count` samples to hold against the data: as many as there are other images, since distances depend on the number.
    pub(crate) fn comparable(&self, count: usize) -> usize {
        let others = self.rest.as_ref().map(|rest| rest.len() / self.width);
        others.map_or(count, |others| others.min(count))
    }

    /// How many images of the data these are.
    pub(crate) fn images(&self) -> usize {
        self.data.len() / self.width
    }
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
