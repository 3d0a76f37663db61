use std::sync::Arc;

use fokker_core::Start;
use fokker_data::{Dataset, Shape};
use fokker_sim::rng::{Cursor, Purpose, Stream};

use crate::{BatchOrder, TrainError};

/// Another data set as p_init: the starts of a path between data sets.
pub struct Source {
    data: Arc<dyn Dataset>,
    order: BatchOrder,
    seed: u64,
    /// The source's label of each class of the target, where starts are drawn by class.
    labels: Option<Vec<u32>>,
}

/// How many items are looked at for one of a class.
const LOOKS: u32 = 100_000;

/// Starts of samples are drawn from here on where the source never ends: trainings do not get so far.
const UNSEEN: u64 = 1 << 41;

impl Source {
    /// The starts of a training on items of `shape`; `seed` orders them. With `classes`, the names of the
    /// target's classes, a start is drawn from the class of its end.
    ///
    /// # Errors
    /// Items of another size, or classes that the source does not have.
    pub fn new(
        data: Arc<dyn Dataset>,
        shape: Shape,
        classes: Option<&[String]>,
        seed: u64,
    ) -> Result<Source, TrainError> {
        let refuse = |what: String| Err(TrainError::Config(format!("source: {what}")));
        let ours = data.shape();
        if ours.size() != shape.size() {
            return refuse(format!(
                "its items are {ours} but those of [data] are {shape}; a path joins items of one size"
            ));
        }
        let label = |class: &String| {
            let found = data.classes().iter().position(|c| c == class);
            found.map(|label| label as u32).ok_or(class.clone())
        };
        let labels = classes.map(|c| c.iter().map(label).collect::<Result<Vec<u32>, _>>());
        let labels = match labels.transpose() {
            Ok(labels) => labels,
            Err(missing) => {
                return refuse(format!(
                    "coupling.class_aware pairs equal classes, but the source has no class \"{missing}\""
                ));
            }
        };
        let order = BatchOrder::new(seed, data.len());
        Ok(Source {
            data,
            order,
            seed,
            labels,
        })
    }

    /// Are starts drawn by class?
    pub(crate) fn is_by_class(&self) -> bool {
        self.labels.is_some()
    }

    /// x₀ of training draw `draw`, of class `class` of the target where starts are drawn by class.
    ///
    /// # Errors
    /// A class without items.
    pub(crate) fn train(&self, draw: u64, class: u32, row: &mut [f32]) -> Result<(), TrainError> {
        let Some(label) = self.label(class) else {
            self.data.item(self.order.index(draw), row);
            return Ok(());
        };
        let cursor = Stream::new(self.seed, Purpose::Couple, draw, 1).cursor();
        self.find(cursor, 0, label, row)
    }

    fn label(&self, class: u32) -> Option<u32> {
        self.labels.as_ref()?.get(class as usize).copied()
    }

    /// The first random item with this label.
    fn find(
        &self,
        mut cursor: Cursor,
        first: u64,
        label: u32,
        row: &mut [f32],
    ) -> Result<(), TrainError> {
        for _ in 0..LOOKS {
            if self.data.item(self.random(&mut cursor, first), row) == Some(label) {
                return Ok(());
            }
        }
        let class = &self.data.classes()[label as usize];
        Err(TrainError::Config(format!(
            "source: found no item of class \"{class}\" among {LOOKS}"
        )))
    }

    /// A random index: any item of a finite set, one of 2⁴⁰ from `first` on of an endless one.
    fn random(&self, cursor: &mut Cursor, first: u64) -> u64 {
        let u = cursor.uniform_f64();
        match self.data.len() {
            None => first + (u * (1u64 << 40) as f64) as u64,
            Some(len) => ((u * len as f64) as u64).min(len - 1),
        }
    }
}

impl Start for Source {
    fn start(&self, seed: u64, sample: u64, class: Option<u32>, x0: &mut [f32]) {
        let cursor = || Stream::new(seed, Purpose::Couple, sample, 2).cursor();
        // A class without items was refused in training.
        let label = class.and_then(|class| self.label(class));
        if label.is_none_or(|label| self.find(cursor(), UNSEEN, label, x0).is_err()) {
            self.data.item(self.random(&mut cursor(), UNSEEN), x0);
        }
    }
}
