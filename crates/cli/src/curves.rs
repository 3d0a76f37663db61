//! What a training's metrics say, as curves.

use fokker::eval::figure::{LineChart, Series};
use fokker::eval::{Report, Section};
use fokker::train::{BINS, Metric};

/// The loss over the steps, and where it was measured, on held-back data.
pub(crate) fn loss(metrics: &[Metric]) -> LineChart {
    let points: Vec<(f64, f64)> = metrics.iter().map(|m| (m.step as f64, m.loss)).collect();
    let window = (points.len() / 40).max(3);
    let chart = LineChart::new("Training loss")
        .x_label("step")
        .y_label("mean squared error per value")
        .series(Series::new("loss", points).smoothed(window));
    let measured = metrics
        .iter()
        .filter_map(|m| Some((m.step as f64, m.validation?)));
    let held_back: Vec<(f64, f64)> = measured.collect();
    match held_back.is_empty() {
        true => chart,
        false => chart.series(Series::new("held-back data", held_back)),
    }
}

/// The mean loss in every slice of time over some lines of metrics, at the slices' middles.
fn by_time(lines: &[Metric]) -> Vec<(f64, f64)> {
    let mean = |bin: usize| {
        let losses = lines.iter().filter_map(|m| *m.by_time.get(bin)?);
        let (sum, count) = losses.fold((0.0, 0), |(s, n), loss| (s + loss, n + 1));
        (count > 0).then(|| ((bin as f64 + 0.5) / BINS as f64, sum / f64::from(count)))
    };
    (0..BINS).filter_map(mean).collect()
}

/// The loss over t: of the last tenth of the training beside the first.
fn over_time(metrics: &[Metric]) -> Option<LineChart> {
    let tenth = (metrics.len() / 10).max(1).min(metrics.len());
    let [first, last] = [&metrics[..tenth], &metrics[metrics.len() - tenth..]].map(by_time);
    if last.len() < 2 {
        return None;
    }
    let chart = LineChart::new("Loss over time")
        .x_label("t, from noise to data")
        .y_label("mean loss")
        .series(Series::new("last tenth of the training", last));
    Some(chart.series(Series::new("first tenth", first).quiet()))
}

/// Adds what is to be said of the training: its loss over the steps, over t, and on held-back data.
pub(crate) fn sections(report: Report, chart: &LineChart, metrics: &[Metric]) -> Report {
    let mut caption = "Bold: smoothed. The loss does not go to zero: its floor is the spread of the targets that share one x.".to_owned();
    if metrics.iter().any(|m| m.validation.is_some()) {
        caption += " On held-back data it is that of the weights which are sampled from, always at the same noise and times: where it \
                    rises while the other falls, the network learns by heart.";
    }
    let mut section = Section::new("Training").figure(chart, caption);
    if let Some(chart) = over_time(metrics) {
        let caption = "The loss in each tenth of time: where along the path the network errs.";
        section = section.figure(&chart, caption);
    }
    let [seconds, wait] =
        [|m: &Metric| m.seconds, |m: &Metric| m.wait].map(|of| metrics.iter().map(of).sum::<f64>());
    if seconds > 0.0 {
        let text = format!(
            "Of the time in steps, {:.1} % went by waiting for batches.",
            100.0 * wait / seconds
        );
        section = section.text(text);
    }
    report.section(section)
}
