use std::sync::Arc;

use fokker_core::Start;
use fokker_data::Dataset;

use crate::{BatchOrder, TrainError};

/// Another data set as p_init: the starts of a path between data sets.
pub struct Source {
    data: Arc<dyn Dataset>,
    order: BatchOrder,
}

/// How many items are looked at for one of a class.
const LOOKS: u64 = 100_000;

impl Source {
    /// The starts of a training on `target`; `seed` orders them. With `class_aware`, every class of the
    /// target must be a class of the source.
    ///
    /// # Errors
    /// Items of another shape, or classes that the source does not have.
    pub fn new(
        data: Arc<dyn Dataset>,
        target: &dyn Dataset,
        class_aware: bool,
        seed: u64,
    ) -> Result<Source, TrainError> {
        let refuse = |what: String| Err(TrainError::Config(format!("source: {what}")));
        let (ours, theirs) = (data.shape(), target.shape());
        if ours.size() != theirs.size() {
            return refuse(format!(
                "its items are {ours} but those of [data] are {theirs}; a path joins items of one size"
            ));
        }
        if class_aware {
            let missing = target
                .classes()
                .iter()
                .find(|c| !data.classes().contains(c));
            if target.classes().is_empty() {
                return refuse("coupling.class_aware needs data with classes".into());
            }
            if let Some(missing) = missing {
                return refuse(format!(
                    "coupling.class_aware pairs equal classes, but the source has no class \"{missing}\""
                ));
            }
        }
        let order = BatchOrder::new(seed, data.len());
        Ok(Source { data, order })
    }

    /// x₀ of training draw `draw`, of class `label` where one is given.
    pub(crate) fn train(&self, draw: u64, label: Option<u32>, row: &mut [f32]) {
        let Some(label) = label else {
            self.data.item(self.order.index(draw), row);
            return;
        };
        // Draws of their own, so that the one found depends on `draw` and the label alone.
        let looks = draw.wrapping_mul(64)..;
        for look in looks.take(LOOKS as usize) {
            let index = self.order.index(look % (1 << 40));
            if self.data.item(index, row) == Some(label) {
                return;
            }
        }
        panic!("the source's class {label} has no item among {LOOKS}");
    }
}

impl Start for Source {
    /// Items after those that trainings see, where the source never ends; else its items in turn.
    fn start(&self, seed: u64, sample: u64, x0: &mut [f32]) {
        const UNSEEN: u64 = 1 << 41;
        let index = match self.data.len() {
            None => UNSEEN + (seed % (1 << 6)) * (1 << 40) + sample,
            Some(len) => sample.wrapping_add(seed.wrapping_mul(0x9E37_79B9)) % len,
        };
        self.data.item(index, x0);
    }
}
