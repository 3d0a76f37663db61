//! `fokker evaluate`: how good are a run's samples?

mod fidelity;

use std::path::Path;

use anyhow::{Context, Result, bail};
use fokker::data::write_atomic;
use fokker::eval::metrics::{Confusion, memorised_fraction, mode_weights, nearest_two};
use fokker::eval::{Report, Section};
use fokker::train::Judge;
use fokker::{Dataset, Device, Draw, RunFolder, Shape};
use serde::{Deserialize, Serialize};

use self::fidelity::Fidelity;
use crate::args::EvaluateArgs;
use crate::distance::{DataPairs, POINTS};
use crate::features::Features;
use crate::prompt::PromptArgs;
use crate::retrieval::{self, Retrieval};
use crate::sample::Source;
use crate::{End, output, present, reconstructions, stop};

/// Pairs of draws that a distance is averaged over.
const PAIRS: usize = 20;

/// What was measured of a run's samples; kept as `evaluation.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Evaluation {
    how: String,
    plane: Option<Plane>,
    images: Option<Images>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retrieval: Option<Retrieval>,
}

/// Points: distance and modes.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Plane {
    w2: f64,
    w2_std: f64,
    floor: f64,
    floor_std: f64,
    points: usize,
    modes: Vec<ModeRow>,
    samples: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ModeRow {
    centre: [f64; 2],
    weight: f64,
    exact: f64,
}

/// Images: class agreement and copies.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Images {
    count: usize,
    /// Absent where there is no second training image to compare with.
    copies: Option<f64>,
    /// Absent where the run knows no classes.
    judge: Option<Judged>,
    #[serde(default)]
    fidelity: Option<Fidelity>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Judged {
    classes: Vec<String>,
    requested: Vec<usize>,
    predicted: Vec<usize>,
    accuracy: Option<f64>,
}

const FILE: &str = "evaluation.json";

pub(crate) fn run(args: EvaluateArgs) -> Result<End> {
    stop::listen()?;
    let device = args.device.open()?;
    if RunFolder::open(&args.run)?.config().is_autoencoder() {
        return autoencoder(&args, &device);
    }
    let mut source = Source::open_as(&args.run, args.how.ema, &device)?;
    let judge = args.judge.as_deref().map(RunFolder::open).transpose()?;
    let data = source.run.data()?;
    if let Some(run) = &args.how.autoguidance {
        source.lead_away_from(run)?;
    }
    if args.how.negative.is_some() && source.reads_texts() && judge.is_none() {
        bail!(
            "--negative: prompts take the place of the captions here; leave it out, or measure by --judge"
        );
    }
    let (_, draw) = source.draw(&args.how, args.seed)?;
    let guidance = match source.flow.classes {
        0 => String::new(),
        _ => format!("guidance {}, ", draw.guidance),
    };
    let how = format!("{}, {guidance}seed {}", draw.name(), draw.seed);
    if args.unseen.is_some() && !source.reads_words() {
        let what = match source.reads_texts() {
            true => "scalars, not words",
            false => "no texts",
        };
        bail!("--unseen: this run reads {what}");
    }
    let mut retrieval = None;
    let (plane, images) = match source.shape {
        Shape::Vector(_) if judge.is_some() => {
            bail!("--judge judges images; this run makes points")
        }
        Shape::Vector(_) => (evaluate_points(&source, &*data, draw)?, None),
        Shape::Image { .. } if source.reads_words() && judge.is_none() => {
            let unseen = args.unseen.as_deref();
            let prompts = PromptArgs {
                text_encoder: args.text_encoder.clone(),
                ..PromptArgs::default()
            };
            retrieval = retrieval::evaluate(&mut source, &*data, unseen, &prompts, &draw)?;
            (None, None)
        }
        Shape::Image { .. } => {
            let judge = match &judge {
                Some(run) => Some((run, Judge::open(run, &device)?)),
                None => None,
            };
            let images = evaluate_images(&source, &*data, draw, args.count as usize, judge)?;
            (None, images)
        }
    };
    if plane.is_none() && images.is_none() && retrieval.is_none() {
        output::note("stopped; nothing was written");
        return Ok(End::Stopped);
    }
    let evaluation = Evaluation {
        how,
        plane,
        images,
        retrieval,
    };
    evaluation.print();
    let json = serde_json::to_vec_pretty(&evaluation)?;
    write_atomic(source.run.path().join(FILE), &json)?;
    source.forget()?;
    match present::write(&source, &*data, Some(&evaluation))? {
        None => Ok(End::Stopped),
        Some(_) => {
            let report = source.run.path().join("report.html");
            output::result(&report.display().to_string());
            if evaluation.retrieval.is_some() {
                let page = source.run.path().join(retrieval::PAGE);
                output::result(&page.display().to_string());
            }
            Ok(End::Done)
        }
    }
}

/// An autoencoder is measured by what it gives back.
fn autoencoder(args: &EvaluateArgs, device: &Device) -> Result<End> {
    if args.judge.is_some() {
        bail!("--judge judges samples, and this run trained an autoencoder, which makes none");
    }
    let run = RunFolder::open(&args.run)?;
    let data = run.data()?;
    match reconstructions::write(&run, &*data, device)? {
        Some(_) => {
            output::result(&run.path().join("report.html").display().to_string());
            Ok(End::Done)
        }
        None => {
            output::note("stopped; nothing was written");
            Ok(End::Stopped)
        }
    }
}

fn evaluate_points(source: &Source, data: &dyn Dataset, mut draw: Draw) -> Result<Option<Plane>> {
    let dim = source.flow.dim;
    let pairs = DataPairs::draw(data, PAIRS, POINTS)?;
    draw.count = pairs.count();
    if source.flow.classes > 0 {
        draw.classes = pairs.classes();
    }
    let Some((values, _)) = source.sample(&draw, 0)? else {
        return Ok(None);
    };
    let values: Vec<f64> = values.into_iter().map(f64::from).collect();
    let (w2, w2_std) = pairs.distance(&values)?;
    let (floor, floor_std) = pairs.floor()?;
    let modes = match source.run.config().data.modes()? {
        None => Vec::new(),
        Some(modes) => {
            let means: Vec<f64> = modes.means.iter().flatten().copied().collect();
            let found = mode_weights(&values, dim, &means, 1.0, 3.0)?;
            let total: f64 = modes.weights.iter().sum();
            let exact = modes.weights.iter().map(|w| w / total);
            found
                .weights
                .into_iter()
                .zip(exact)
                .zip(&modes.means)
                .map(|((weight, exact), &centre)| ModeRow {
                    centre,
                    weight,
                    exact,
                })
                .collect()
        }
    };
    Ok(Some(Plane {
        w2,
        w2_std,
        floor,
        floor_std,
        points: pairs.points,
        modes,
        samples: draw.count,
    }))
}

/// Whether this judge knows what the run makes.
pub(crate) fn check_judge(source: &Source, run: &RunFolder, judge: &Judge) -> Result<()> {
    let classes = &source.run.info().classes;
    if !classes.is_empty() && judge.classes() != classes {
        bail!(
            "--judge {}: this judge knows other classes ({})",
            run.path().display(),
            judge.classes().join(", ")
        );
    }
    if run.info().shape()? != source.shape {
        let (theirs, ours) = (run.info().shape()?, source.shape);
        bail!(
            "--judge {}: judges images of {theirs}, this run makes {ours}",
            run.path().display()
        );
    }
    Ok(())
}

fn evaluate_images(
    source: &Source,
    data: &dyn Dataset,
    mut draw: Draw,
    count: usize,
    judge: Option<(&RunFolder, Judge)>,
) -> Result<Option<Images>> {
    let classes = &source.run.info().classes;
    if let Some((run, judge)) = &judge {
        check_judge(source, run, judge)?;
    }
    draw.count = count;
    let Some((values, _)) = source.sample(&draw, 0)? else {
        return Ok(None);
    };
    let dim = source.shape.size();
    let n = data.len().context("image data without end")?;
    let found = nearest_two(&values, &|i, row| _ = data.item(i, row), n, dim)?;
    let mut judged = None;
    let mut fidelity = None;
    if let Some((run, judge)) = judge {
        let Some(features) = Features::of(source, &judge, count)? else {
            return Ok(None);
        };
        fidelity = Some(Fidelity::of(&values, dim, &features, &judge)?);
        if !classes.is_empty() {
            let test = run.config().data.load_test()?;
            let class = |i| source.flow.class_of(&draw, i).map_or(0, |c| c as usize);
            let predicted = judge.predict(&values, dim);
            judged = Some(Judged {
                classes: classes.clone(),
                requested: (0..count as u64).map(class).collect(),
                predicted: predicted.into_iter().map(|c| c as usize).collect(),
                accuracy: test.map(|test| judge.accuracy(&*test)),
            });
        }
    }
    Ok(Some(Images {
        count,
        copies: (n > 1).then(|| memorised_fraction(&found, 1.0 / 3.0)),
        judge: judged,
        fidelity,
    }))
}

impl Judged {
    fn confusion(&self) -> Result<Confusion> {
        Ok(Confusion::new(
            &self.classes,
            &self.requested,
            &self.predicted,
        )?)
    }

    fn note(&self) -> String {
        match self.accuracy {
            Some(a) => format!(
                "a classifier that is right on {:.1} % of held-back images",
                100.0 * a
            ),
            None => "a classifier without held-back images to test it on".into(),
        }
    }
}

impl Evaluation {
    /// The evaluation that was written into a run folder, if there is one.
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        let json = std::fs::read(folder.join(FILE)).ok()?;
        serde_json::from_slice(&json).ok()
    }

    fn fidelity(&self) -> Option<&Fidelity> {
        self.images.as_ref()?.fidelity.as_ref()
    }

    fn print(&self) {
        output::result(&format!("sampled by {}", self.how));
        if let Some(p) = &self.plane {
            output::result(&format!(
                "2-Wasserstein distance to data  {:.4} ± {:.4}  (mean of {PAIRS} pairs of {} points)",
                p.w2, p.w2_std, p.points
            ));
            output::result(&format!(
                "floor: data to data             {:.4} ± {:.4}",
                p.floor, p.floor_std
            ));
            output::result(&format!(
                "ratio                           {:.3}",
                p.w2 / p.floor
            ));
            if !p.modes.is_empty() {
                let worst = p.modes.iter().map(|m| (m.weight - m.exact).abs());
                let worst = worst.fold(0.0, f64::max);
                let found = p.modes.iter().filter(|m| m.weight > 0.2 * m.exact).count();
                output::result(&format!(
                    "modes found {found} of {}; largest error of a mode's weight {:.2} percentage points ({} samples)",
                    p.modes.len(),
                    100.0 * worst,
                    p.samples
                ));
            }
        }
        if let Some(retrieval) = &self.retrieval {
            retrieval
                .lines()
                .iter()
                .for_each(|line| output::result(line));
        }
        if let Some(i) = &self.images {
            if let Some(judged) = &i.judge
                && let Ok(confusion) = judged.confusion()
            {
                output::result(&format!(
                    "class agreement  {:.1} % of {} samples, by {}",
                    100.0 * confusion.overall(),
                    i.count,
                    judged.note()
                ));
                for (class, share) in confusion.worst_first() {
                    output::result(&format!("  {class:<14} {:.1} %", 100.0 * share));
                }
            }
            if let Some(fidelity) = &i.fidelity {
                fidelity.print();
            }
            if let Some(copies) = i.copies {
                output::result(&format!(
                    "copies of training images  {:.1} % (nearest below ⅓ of second nearest)",
                    100.0 * copies
                ));
            }
        }
    }

    /// The key figures.
    pub(crate) fn tiles(&self, mut report: Report) -> Report {
        if let Some(p) = &self.plane {
            let ratio = match p.w2 / p.floor {
                r if r.is_finite() => format!("{r:.3} ×"),
                _ => "–".to_owned(),
            };
            let note = format!("W₂ {:.4} to data, {:.4} between data", p.w2, p.floor);
            report = report.tile("Distance", ratio, note);
        }
        if let Some(judged) = self.images.as_ref().and_then(|i| i.judge.as_ref())
            && let Ok(confusion) = judged.confusion()
        {
            let agreement = format!("{:.1} %", 100.0 * confusion.overall());
            report = report.tile("Class agreement", agreement, judged.note());
        }
        if let Some(fidelity) = self.fidelity() {
            report = fidelity.tile(report);
        }
        if let Some(retrieval) = &self.retrieval {
            report = retrieval.tile(report);
        }
        report
    }

    /// The sections of the report.
    pub(crate) fn sections(&self, mut report: Report) -> Result<Report> {
        if let Some(p) = &self.plane {
            let mut section = Section::new("Distance to the data").text(format!(
                "Sampled by {}. The exact 2-Wasserstein distance between {} samples and {} points of the data is {:.4} ± \
                 {:.4} (mean and standard deviation of {PAIRS} pairs). Two draws of the data themselves are {:.4} ± \
                 {:.4} apart: no sampler can do better on average.",
                self.how, p.points, p.points, p.w2, p.w2_std, p.floor, p.floor_std
            ));
            if !p.modes.is_empty() {
                let rows = p.modes.iter().map(|m| {
                    let percent = |v: f64| format!("{:.2}", 100.0 * v);
                    vec![
                        format!("({:.2}, {:.2})", m.centre[0], m.centre[1]),
                        percent(m.weight),
                        percent(m.exact),
                        format!("{:+.2}", 100.0 * (m.weight - m.exact)),
                    ]
                });
                let caption = format!(
                    "Weight of each mode among {} samples, in per cent.",
                    p.samples
                );
                section = section.table(
                    &["mode at", "samples", "exact", "difference"],
                    rows.collect(),
                    caption,
                );
            }
            report = report.section(section);
        }
        if let Some(retrieval) = &self.retrieval {
            report = report.section(retrieval.section());
        }
        if let Some(judged) = self.images.as_ref().and_then(|i| i.judge.as_ref()) {
            let confusion = judged.confusion()?;
            let count = judged.requested.len();
            let figure =
                confusion.figure(format!("Requested and recognised class of {count} samples"));
            let text = format!("Sampled by {}; judged by {}.", self.how, judged.note());
            report = report.section(
                Section::new("Class agreement")
                    .text(text)
                    .figure(&figure, ""),
            );
        }
        if let Some(fidelity) = self.fidelity() {
            report = fidelity.section(report, &self.how);
        }
        Ok(report)
    }
}
