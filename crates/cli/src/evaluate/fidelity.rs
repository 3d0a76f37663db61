//! How near the law of samples is to that of the data, in the features of a judge.

use anyhow::Result;
use fokker::eval::metrics::{Moments, Overlap, expected_coverage, frechet, overlap};
use fokker::eval::{Report, Section};
use fokker::train::Judge;
use serde::{Deserialize, Serialize};

use crate::features::Features;
use crate::output;

/// Neighbours that make the ball of a point, as in the literature.
const K: usize = 5;

/// Distances of samples to images of the training, each beside that of as many other real images.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Fidelity {
    /// Images of the training.
    images: usize,
    /// Samples that were measured.
    #[serde(default)]
    count: usize,
    samples: Measures,
    /// Of as many other images of the data as there are samples, where there are enough.
    floor: Option<Measures>,
    /// Did the network never see those?
    #[serde(default)]
    held_back: bool,
    expected_coverage: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Measures {
    frechet: f64,
    precision: f64,
    recall: f64,
    density: f64,
    coverage: f64,
}

impl Measures {
    fn of(values: &[f32], features: &Features, data: &Moments) -> Result<Self> {
        let width = features.width;
        let Overlap {
            precision,
            recall,
            density,
            coverage,
        } = overlap(values, &features.data, width, K)?;
        Ok(Self {
            frechet: frechet(&Moments::of(values, width)?, data)?,
            precision,
            recall,
            density,
            coverage,
        })
    }

    /// What is measured, and its value.
    fn rows(&self) -> [(&'static str, f64); 5] {
        [
            ("Fréchet distance", self.frechet),
            ("density", self.density),
            ("coverage", self.coverage),
            ("precision", self.precision),
            ("recall", self.recall),
        ]
    }
}

impl Fidelity {
    /// Of samples `values`, `[count, dim]` row by row.
    pub(super) fn of(
        values: &[f32],
        dim: usize,
        features: &Features,
        judge: &Judge,
    ) -> Result<Self> {
        let data = Moments::of(&features.data, features.width)?;
        let floor = features.rest.as_ref();
        let floor = floor.map(|rest| Measures::of(rest, features, &data));
        let images = features.images();
        let count = features.comparable(values.len() / dim);
        let values = &values[..count * dim];
        Ok(Self {
            images,
            count,
            samples: Measures::of(&judge.features(values, dim), features, &data)?,
            floor: floor.transpose()?,
            held_back: features.held_back,
            expected_coverage: expected_coverage(images, count, K),
        })
    }

    /// A line of each measure: its name, of the samples, of other images.
    fn lines(&self) -> Vec<[String; 3]> {
        let floor = self.floor.as_ref().map(Measures::rows);
        let number = |v: f64| format!("{v:.3}");
        self.samples
            .rows()
            .iter()
            .enumerate()
            .map(|(i, (name, value))| {
                let floor = floor.map_or("–".into(), |rows| number(rows[i].1));
                [(*name).to_owned(), number(*value), floor]
            })
            .collect()
    }

    /// What the samples stand beside.
    fn others(&self) -> &'static str {
        if self.held_back {
            "real images that the network never saw"
        } else {
            "other real images of the training"
        }
    }

    pub(super) fn print(&self) {
        let rest = match self.floor {
            Some(_) => format!("; in brackets as many {}", self.others()),
            None => String::new(),
        };
        output::result(&format!(
            "in the judge's features, {} samples against {} training images{rest}:",
            self.count, self.images
        ));
        for [name, value, floor] in self.lines() {
            let floor = match self.floor {
                Some(_) => format!("  ({floor})"),
                None => String::new(),
            };
            output::result(&format!("  {name:<18} {value}{floor}"));
        }
        if let Some(floor) = &self.floor {
            output::result(&format!(
                "  Fréchet distance over that of real images  {:.2}",
                self.samples.frechet / floor.frechet
            ));
        }
    }

    pub(super) fn tile(&self, report: Report) -> Report {
        match &self.floor {
            None => report,
            Some(floor) => report.tile(
                "Fréchet distance",
                format!("{:.2} ×", self.samples.frechet / floor.frechet),
                format!("to training images, over that of {}", self.others()),
            ),
        }
    }

    pub(super) fn section(&self, report: Report, how: &str) -> Report {
        let beside = match self.floor {
            Some(_) => format!(", beside those of as many {}", self.others()),
            None => String::new(),
        };
        let text = format!(
            "Sampled by {how}. Distances of {} samples to {} images of the training in the judge's features{beside}. \
             Density is the mean number of balls about training images that a sample lies in, over k = {K} (a ball reaches to \
             the k-th neighbour); coverage is the share of balls with a sample inside, {:.3} for samples of the data's own law.",
            self.count, self.images, self.expected_coverage
        );
        let columns = if self.floor.is_some() { 3 } else { 2 };
        let lines = self.lines().into_iter();
        let rows = lines.map(|line| line[..columns].to_vec()).collect();
        let heads = &["", "samples", self.others()][..columns];
        report.section(Section::new("Distance to the data").text(text).table(
            heads,
            rows,
            "Density and coverage: Naeem et al., 2020; precision and recall by the same balls.",
        ))
    }
}
