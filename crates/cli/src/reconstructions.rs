//! The pictures and the report of an autoencoder's run.

use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Result;
use fokker::data::write_atomic;
use fokker::eval::figure::{Figure, LineChart, Series, number};
use fokker::eval::{GridStyle, Pixels, Report, Section, grid, write_png};
use fokker::nn::Autoencoder;
use fokker::sim::rng::{Purpose, normal_rows};
use fokker::train::{LatentSpace, Metric, Reconstruction};
use fokker::{Dataset, Device, RunFolder};
use serde::Serialize;

use crate::present::{images, quoted, write_svg, zoom};
use crate::progress::{Progress, clock};
use crate::{output, stop};

/// Images of each kind that are measured at most.
const MOST: usize = 2000;
/// Pictures in a row, and pairs of rows of them.
const COLUMNS: usize = 10;
const ROWS: usize = 3;

/// What was measured, kept as `evaluation.json`.
#[derive(Serialize)]
struct Measured {
    /// On images of the training.
    seen: Reconstruction,
    /// On images held back, where there are any.
    held_back: Option<Reconstruction>,
}

/// Measures, and writes every picture and the report into the run's folder. Returns the files written, or `None` on Ctrl-C.
pub(crate) fn write(
    run: &RunFolder,
    data: &dyn Dataset,
    device: &Device,
) -> Result<Option<Vec<PathBuf>>> {
    let device = device.clone().without_autodiff();
    let (net, checkpoint) = run.autoencoder(&device)?;
    let space = LatentSpace::plain(net, &device);
    let test = run.config().data.load_test()?;
    let held = run.config().held_back(data);
    let unseen: (&dyn Dataset, Vec<u64>) = match &test {
        Some(test) => (&**test, (0..test.len().unwrap_or(0)).collect()),
        None => (data, held.clone()),
    };
    let seen = (0..data.len().unwrap_or(0)).filter(|i| held.binary_search(i).is_err());
    let Some(seen) = measure(&space, data, seen.take(MOST).collect(), "seen")? else {
        return Ok(None);
    };
    let held_back = match unseen.1.is_empty() {
        true => None,
        false => {
            let most = unseen.1.iter().copied().take(MOST).collect();
            let Some(found) = measure(&space, unseen.0, most, "held back")? else {
                return Ok(None);
            };
            Some(found)
        }
    };
    let measured = Measured { seen, held_back };
    print(&measured);
    let folder = run.path();
    let json = serde_json::to_vec_pretty(&measured)?;
    write_atomic(folder.join("evaluation.json"), &json)?;

    let shown: (&dyn Dataset, Vec<u64>) = match unseen.1.is_empty() {
        true => (data, (0..data.len().unwrap_or(0)).collect()),
        false => unseen,
    };
    let sheet = sheet(run, &space, shown)?;
    write_png(folder.join("reconstructions.png"), &sheet, &[])?;
    let metrics = run.metrics()?;
    let chart = loss_chart(&metrics);
    write_svg(&folder.join("loss.svg"), &chart.svg())?;
    let which = match measured.held_back {
        Some(_) => "Images that the training never saw",
        None => "Images of the training",
    };
    let report = head(run, &space, &measured, &metrics)
        .section(Section::new("Reconstructions").picture(
            &sheet,
            format!("{which}, each above the decoded mean of its latent."),
        )?)
        .section(Section::new("From noise").text(
            "Decoded from latents z ~ N(0, I), for which the divergence in the loss asks. They are not good images, because \
             that law is met only by halves: a model of the latents that there really are is what [latent] trains.",
        ).picture(&prior(run, &space)?, "Sixteen draws of N(0, I), decoded.")?)
        .section(Section::new("Training").figure(
            &chart,
            "Bold: smoothed. The error alone would fall further; the divergence is what it costs to say more.",
        ))
        .section(Section::new("A model of these latents").commands(
            "Take configs/garments-latent.toml, or any recipe for images with a section [latent].",
            &[&format!(
                "fokker train configs/garments-latent.toml --set latent.run={}",
                quoted(&folder.display().to_string())
            )],
        ))
        .section(Section::new("Recipe").code("config.toml", run.config().to_toml()))
        .footer(format!(
            "fokker {} · seed {} · data {} · checkpoint {}",
            run.info().fokker,
            run.config().seed,
            run.info().fingerprint,
            checkpoint.step
        ));
    report.write(folder.join("report.html"))?;
    let files = ["reconstructions.png", "loss.svg", "report.html"];
    Ok(Some(files.iter().map(|f| folder.join(f)).collect()))
}

fn measure(
    space: &LatentSpace,
    data: &dyn Dataset,
    items: Vec<u64>,
    what: &'static str,
) -> Result<Option<Reconstruction>> {
    let mut bar = Progress::new(what, 0, items.len() as u64);
    let found = Reconstruction::measure(space, data, &items, &mut |done| {
        bar.set(done, || "images encoded and decoded".into());
        if stop::asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    if found.is_some() {
        bar.finish(&format!("{} images", items.len()));
    }
    Ok(found)
}

fn print(measured: &Measured) {
    let line = |what: &str, r: &Reconstruction| {
        output::result(&format!(
            "reconstruction error  {:.5} a pixel on {} {what} images ({:.1} % of a constant image's), divergence {:.1} nats an \
             image",
            r.error,
            r.images,
            100.0 * r.error / r.constant,
            r.divergence
        ));
    };
    line("training", &measured.seen);
    if let Some(held) = &measured.held_back {
        line("held-back", held);
    }
    let r = &measured.seen;
    output::result(&format!(
        "{} of {} numbers of the latent say something of the image",
        r.active, r.latent
    ));
}

/// Pairs of rows: originals above, reconstructions below.
fn sheet(
    run: &RunFolder,
    space: &LatentSpace,
    (data, items): (&dyn Dataset, Vec<u64>),
) -> Result<Pixels> {
    let shape = run.info().shape()?;
    let size = space.image_size();
    let items = &items[..items.len().min(COLUMNS * ROWS)];
    let mut originals = vec![0.0; items.len() * size];
    for (row, i) in originals.chunks_exact_mut(size).zip(items) {
        data.item(*i, row);
    }
    let decoded = space.decode(&space.encode(&originals));
    let (tops, bottoms) = (images(&originals, shape)?, images(&decoded, shape)?);
    let columns = COLUMNS.min(tops.len());
    let rows = tops.chunks(columns).zip(bottoms.chunks(columns));
    let pairs: Vec<Pixels> = rows
        .filter(|(t, _)| t.len() == columns)
        .flat_map(|(t, b)| [t, b].concat())
        .collect();
    let labels = ["original", "decoded"].map(String::from);
    let style = GridStyle {
        scale: zoom(shape),
        row_labels: Some(
            labels
                .iter()
                .cycle()
                .take(pairs.len() / columns)
                .cloned()
                .collect(),
        ),
        ..GridStyle::default()
    };
    Ok(grid(&pairs, columns, &style)?)
}

fn prior(run: &RunFolder, space: &LatentSpace) -> Result<Pixels> {
    let mut noise = vec![0.0; 16 * space.dim()];
    normal_rows(0, Purpose::Init, 0..16, 0, space.dim(), &mut noise);
    let shape = run.info().shape()?;
    let pictures = images(&space.decode(&noise), shape)?;
    Ok(grid(&pictures, 8, &GridStyle::plain(zoom(shape)))?)
}

fn loss_chart(metrics: &[Metric]) -> LineChart {
    let points: Vec<(f64, f64)> = metrics.iter().map(|m| (m.step as f64, m.loss)).collect();
    let window = (points.len() / 40).max(3);
    LineChart::new("Training loss")
        .x_label("step")
        .y_label("nats a pixel")
        .series(Series::new("loss", points).smoothed(window))
}

fn head(run: &RunFolder, space: &LatentSpace, measured: &Measured, metrics: &[Metric]) -> Report {
    let info = run.info();
    let [channels, height, width] = space.autoencoder().latent();
    let seconds: f64 = metrics.iter().map(|m| m.seconds).sum();
    let train = &run.config().training.train;
    let best = measured.held_back.as_ref().unwrap_or(&measured.seen);
    let whose = match measured.held_back {
        Some(_) => "held-back",
        None => "training",
    };
    let size = info.items.map_or("unlimited".into(), |n| number(n as f64));
    Report::new(run.config().name.clone())
        .subtitle(format!(
            "An autoencoder of {}: {size} images, {} numbers each, as {channels}×{height}×{width}",
            info.data,
            space.image_size()
        ))
        .tile(
            "Error",
            format!("{:.5}", best.error),
            format!(
                "mean square a pixel, {} {whose} images; {:.1} % of a constant image's",
                best.images,
                100.0 * best.error / best.constant
            ),
        )
        .tile(
            "Divergence",
            format!("{:.1}", best.divergence),
            "nats an image, from N(0, I)",
        )
        .tile(
            "Latent",
            format!("{} of {}", best.active, best.latent),
            "numbers vary with the image",
        )
        .tile(
            "Steps",
            number(metrics.last().map_or(0.0, |m| m.step as f64)),
            format!("batches of {}, {}", train.batch, clock(seconds)),
        )
        .tile(
            "Parameters",
            number(info.parameters as f64),
            "trainable numbers",
        )
}
