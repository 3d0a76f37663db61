//! The plots and the page.

use fokker::eval::figure::{Figure, LineChart, Series};
use fokker::eval::{Report, Section};

use super::contest::{Cell, Measure, Results, Row};
use super::table;

/// Samplers in colour; the others are grey.
const COLOURS: usize = 6;

/// A distance this many times the least is cut off: one bad sampler shall not flatten all others.
const FAR: f64 = 20.0;

/// From here on the axis of distances is logarithmic.
const WIDE: f64 = 5.0;

/// The plot of what samplers are ranked by, as SVG text.
pub(super) fn main(results: &Results) -> String {
    match results.reference.distance {
        Some(_) => distance(results).svg().to_string(),
        None => off(results).svg().to_string(),
    }
}

/// A line for each row: the `best` in colour, the others grey.
fn lines(mut chart: LineChart, results: &Results, best: &[&Row], measure: Measure) -> LineChart {
    let point = |c: &Cell| Some((c.calls as f64, measure(c)?));
    let series = |row: &Row| {
        let mut points: Vec<_> = row.cells.iter().filter_map(point).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Series::new(row.name.clone(), points)
    };
    for row in best {
        let line = series(row).dotted();
        // With noise on the way, dashed.
        chart = chart.series(if row.stochastic { line.dashed() } else { line });
    }
    for row in &results.rows {
        if !best.iter().any(|b| b.name == row.name) {
            chart = chart.series(series(row).quiet());
        }
    }
    chart
}

/// The names of those that are grey.
fn others(results: &Results, best: &[&Row], measure: Measure) -> String {
    let grey = results.rows.iter().filter(|r| {
        !best.iter().any(|b| b.name == r.name) && r.cells.iter().any(|c| measure(c).is_some())
    });
    let grey: Vec<&str> = grey.map(|r| r.name.as_str()).collect();
    match grey.is_empty() {
        true => String::new(),
        false => format!("Grey: {}.", grey.join(", ")),
    }
}

fn distance(results: &Results) -> LineChart {
    let measure: Measure = |c| c.distance;
    let best: Vec<&Row> = results.rows.iter().take(COLOURS).collect();
    let (_, enough) = results.criterion();
    let all = results
        .rows
        .iter()
        .flat_map(|r| &r.cells)
        .filter_map(measure);
    let (low, high) = all.fold((enough, enough), |(l, h), v| (l.min(v), h.max(v)));
    let high = high.min(FAR * low);
    let chart = LineChart::new(format!(
        "Samplers of {}: quality by network calls",
        results.name
    ))
    .subtitle(others(results, &best, measure))
    .x_label("network calls for a sample")
    .y_label(results.quality)
    .log_x()
    .y_range(low, high)
    .reference(enough, results.near());
    let chart = match high > WIDE * low {
        true => chart.log_y(),
        false => chart,
    };
    lines(chart, results, &best, measure)
}

fn off(results: &Results) -> LineChart {
    let measure: Measure = |c| c.off;
    // The nearest in the middle of the budgets: later the reference's own error counts.
    let middle = results.budgets.len() / 2;
    let there = |row: &Row| {
        let cells = row.cells.iter().filter(|c| c.column <= middle);
        cells.filter_map(measure).fold(f64::INFINITY, f64::min)
    };
    let mut best: Vec<&Row> = results.rows.iter().collect();
    best.retain(|r| r.cells.iter().any(|c| c.off.is_some()));
    best.sort_by(|a, b| there(a).total_cmp(&there(b)));
    best.truncate(COLOURS);
    let chart = LineChart::new(format!(
        "Samplers of {}: distance to the fine solution",
        results.name
    ))
    .subtitle(others(results, &best, measure))
    .x_label("network calls for a sample")
    .y_label(format!(
        "root mean square difference from {} in {} steps",
        results.reference.sampler, results.reference.steps
    ))
    .log_x()
    .log_y();
    lines(chart, results, &best, measure)
}

/// The page with both plots and both tables.
pub(super) fn report(results: &Results) -> Report {
    let mut report = Report::new(format!("Samplers of {}", results.name)).subtitle(&results.what);
    let (criterion, enough) = results.criterion();
    if let Some(best) = results.rows.first()
        && let Some(cell) = best.first(criterion, enough)
    {
        report = report.tile(
            "Fewest calls",
            cell.calls.to_string(),
            format!(
                "{} in {} steps, {}",
                cell.sampler,
                cell.steps,
                results.near()
            ),
        );
    }
    let section = |heading: &str, chart: &LineChart, measure: Measure, ranked: bool| {
        let (head, rows) = table::rows(results, measure, ranked);
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        let (title, caption) = match (ranked, results.reference.distance) {
            (true, Some(_)) => (table::title(results), table::enough(results)),
            (true, None) => (table::off_title(results), table::enough(results)),
            (false, _) => (table::off_title(results), String::new()),
        };
        let dashed = match results.reference.distance.is_some() && ranked {
            true => "Dashed: with noise on the way.",
            false => "",
        };
        Section::new(heading).figure(chart, dashed).table(
            &head,
            rows,
            format!("{title}. {caption}"),
        )
    };
    if results.reference.distance.is_some() {
        let chart = distance(results);
        report = report.section(section("Quality", &chart, |c| c.distance, true));
    }
    if results
        .rows
        .iter()
        .flat_map(|r| &r.cells)
        .any(|c| c.off.is_some())
    {
        let ranked = results.reference.distance.is_none();
        let chart = off(results);
        report = report.section(section("Fine solution", &chart, |c| c.off, ranked));
    }
    let notes: Vec<String> = results.notes.iter().map(|n| format!("{n}.")).collect();
    if !notes.is_empty() {
        report = report.section(Section::new("Notes").text(notes.join("\n\n")));
    }
    report.footer(format!("fokker {}", env!("CARGO_PKG_VERSION")))
}
