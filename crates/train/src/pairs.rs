use std::ops::ControlFlow;

use fokker_core::{Draw, Flow, Network, SampleError};
use fokker_data::{Dataset, Shape};

/// Starts and ends of a trained model's own paths: a rectified coupling (Liu, Gong and Liu, *Flow
/// straight and fast: rectified flow*, 2023). As a data set it holds the ends.
pub struct Pairs {
    name: String,
    shape: Shape,
    classes: Vec<String>,
    x0: Vec<f32>,
    x1: Vec<f32>,
    labels: Option<Vec<u32>>,
}

impl Pairs {
    /// The pairs of the samples of `draw`, whose ends have `shape` and these names of classes; `watch`
    /// is told the samples done and may break off.
    ///
    /// # Errors
    /// As [`Flow::sample_watched`].
    pub fn new<N: Network>(
        flow: &Flow<N>,
        draw: &Draw,
        shape: Shape,
        classes: &[String],
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Pairs, SampleError> {
        let samples = draw.first..draw.first + draw.count as u64;
        let mut x0 = flow.start(draw, samples.clone());
        // In units of noise: the student's own path may start at another width.
        let scale = flow.path.scheduler().at(0.0).beta as f32;
        x0.iter_mut().for_each(|x| *x /= scale);
        let x1 = flow.sample_watched(draw, &mut |range, _| watch(range.start - draw.first))?;
        Ok(Pairs {
            name: format!("{} pairs of a model", draw.count),
            shape,
            classes: classes.to_vec(),
            x0,
            x1,
            labels: samples.map(|i| flow.class_of(draw, i)).collect(),
        })
    }

    /// The start of pair `index`.
    pub(crate) fn start(&self, index: u64) -> &[f32] {
        self.row(&self.x0, index)
    }

    fn row<'a>(&self, values: &'a [f32], index: u64) -> &'a [f32] {
        let dim = self.shape.size();
        let at = index as usize * dim;
        &values[at..at + dim]
    }
}

impl Dataset for Pairs {
    fn name(&self) -> &str {
        &self.name
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn len(&self) -> Option<u64> {
        Some((self.x1.len() / self.shape.size()) as u64)
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn item(&self, index: u64, out: &mut [f32]) -> Option<u32> {
        out.copy_from_slice(self.row(&self.x1, index));
        self.labels.as_ref().map(|labels| labels[index as usize])
    }
}
