//! Draws lines from standard input as SVG on standard output.
//!
//! ```text
//! printf 'title\tCost\nx\tbatch\ny\tms\nlog\nseries\tmlp\t16 0.4\t32 0.8\n' |
//!     cargo run --release -p fokker-eval --example line_chart > cost.svg
//! ```
//!
//! A line of the input is a word and its fields, separated by tabs: `title`, `subtitle`, `x`, `y` with a text, `log` for logarithmic
//! axes, `series` (`dashed` for a prediction) with a name and points.

#![allow(clippy::print_stdout)] // an example prints

use std::io::Read;

use fokker_eval::figure::{Figure, LineChart, Series};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let title = text.lines().find_map(|l| l.strip_prefix("title\t"));
    let mut chart = LineChart::new(title.unwrap_or_default());
    for line in text.lines() {
        let mut fields = line.split('\t');
        let word = fields.next().unwrap_or_default();
        let first = fields.next().unwrap_or_default();
        chart = match word {
            "title" => chart,
            "subtitle" => chart.subtitle(first),
            "x" => chart.x_label(first),
            "y" => chart.y_label(first),
            "log" => chart.log_x().log_y(),
            "series" | "dashed" => {
                let points = fields.map(point).collect::<Result<_, _>>()?;
                let series = Series::new(first, points);
                chart.series(match word {
                    "dashed" => series.dashed(),
                    _ => series.dotted(),
                })
            }
            other => {
                return Err(format!(
                    "expected title, subtitle, x, y, log, series or dashed, got {other:?}"
                )
                .into());
            }
        };
    }
    print!("{}", chart.svg().as_str());
    Ok(())
}

/// `x y`
fn point(text: &str) -> Result<(f64, f64), Box<dyn std::error::Error>> {
    let (x, y) = text
        .split_once(' ')
        .ok_or_else(|| format!("expected \"x y\", got {text:?}"))?;
    Ok((x.parse()?, y.parse()?))
}
