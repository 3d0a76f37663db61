//! How good samples are, as one number.

use anyhow::Result;
use fokker::eval::metrics::{Moments, frechet};
use fokker::train::Judge;
use fokker::{Draw, Shape};

use crate::distance::{DataPairs, POINTS};
use crate::features::Features;
use crate::sample::Source;

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
        let Some(features) = Features::of(source, &judge, draw.count)? else {
            return Ok(None);
        };
        let data = Moments::of(&features.data, features.width)?;
        draw.count = features.comparable(draw.count);
        let floor = match &features.rest {
            Some(rest) => Some(frechet(&Moments::of(rest, features.width)?, &data)?),
            None => None,
        };
        Ok(Some(Self::Features {
            judge: Box::new(judge),
            data,
            images: features.images(),
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
                let found = judge.features(values, dim);
                let found = Moments::of(&found, data.mean.len())?;
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
