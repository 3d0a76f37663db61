//! What was found, as lines for a person and as CSV.

use fokker::eval::figure::number;

use super::contest::{Cell, Measure, Results, Row};

/// A table with right-aligned columns after the first.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| {
            let cells = self.rows.iter().filter_map(|r| r.get(c));
            cells.map(|t| t.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let mut text = String::new();
            for (c, cell) in row.iter().enumerate() {
                let pad = " ".repeat(widths[c] - cell.chars().count());
                text += &match c {
                    0 => format!("{cell}{pad}"),
                    _ => format!("  {pad}{cell}"),
                };
            }
            text.trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

/// A distance in the table.
pub(super) fn figure(v: f64) -> String {
    match v.abs() {
        ..10.0 => format!("{v:.3}"),
        10.0..1000.0 => format!("{v:.1}"),
        _ => number(v),
    }
}

/// A row's best value within each budget alone.
fn by_budget(
    results: &Results,
    row: &Row,
    measure: Measure,
    show: fn(f64) -> String,
) -> Vec<String> {
    let cell = |column| {
        let mut cells = row.cells.iter().rev();
        let text = |c: &Cell| measure(c).map_or("–".to_owned(), show);
        cells
            .find(|c| c.column == column)
            .map_or(String::new(), text)
    };
    (0..results.budgets.len()).map(cell).collect()
}

/// The heads and rows of the table of `measure`; where they are ranked, with the calls that are enough.
pub(super) fn rows(
    results: &Results,
    measure: Measure,
    ranked: bool,
) -> (Vec<String>, Vec<Vec<String>>) {
    let mut head = vec!["sampler".to_owned()];
    head.extend(results.budgets.iter().map(|b| format!("≤ {b}")));
    if ranked {
        head.push("enough".into());
    }
    let (criterion, enough) = results.criterion();
    let show: fn(f64) -> String = if ranked { figure } else { number };
    let measured = |row: &&Row| row.cells.iter().any(|c| measure(c).is_some()) || ranked;
    let row = |row: &Row| {
        let mut line = vec![row.name.clone()];
        line.extend(by_budget(results, row, measure, show));
        if ranked {
            let first = row.first(criterion, enough);
            line.push(first.map_or("–".into(), |c| c.calls.to_string()));
        }
        line
    };
    (
        head,
        results.rows.iter().filter(measured).map(row).collect(),
    )
}

/// The head of the first table.
pub(super) fn title(results: &Results) -> String {
    match &results.floor {
        Some(floor) => format!("{} ({floor})", results.quality),
        None => results.quality.to_owned(),
    }
}

/// What the second table shows.
pub(super) fn off_title(results: &Results) -> String {
    let r = &results.reference;
    format!(
        "root mean square difference from {} in {} steps, samplers without noise of their own (the samples' own: {:.4})",
        r.sampler, r.steps, results.size
    )
}

/// What the last column of the first table says.
pub(super) fn enough(results: &Results) -> String {
    format!(
        "enough: the fewest calls from which on all are {}",
        results.near()
    )
}

/// All lines for standard output.
pub(super) fn lines(results: &Results) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", results.name, results.what), String::new()];
    let mut table = |title: String, measure: Measure, ranked: bool| {
        let (head, rows) = rows(results, measure, ranked);
        if rows.is_empty() {
            return;
        }
        lines.push(title);
        let mut all = vec![head];
        all.extend(rows);
        lines.extend(Table { rows: all }.lines());
        if ranked {
            lines.push(enough(results));
        }
        lines.push(String::new());
    };
    let by_off: Measure = |c| c.off;
    if results.reference.distance.is_some() {
        table(title(results), |c| c.distance, true);
        table(off_title(results), by_off, false);
    } else {
        table(off_title(results), by_off, true);
    }
    lines
}

/// A line for each walk, the reference's last.
pub(super) fn csv(results: &Results) -> String {
    let mut text = String::from("sampler,steps,calls,distance,off,enough\n");
    let (measure, enough) = results.criterion();
    let line = |cell: &Cell| {
        let value = |v: Option<f64>| v.map_or(String::new(), |v| v.to_string());
        let good = measure(cell).is_some_and(|v| v <= enough);
        format!(
            "{},{},{},{},{},{good}\n",
            cell.sampler,
            cell.steps,
            cell.calls,
            value(cell.distance),
            value(cell.off),
        )
    };
    let cells = results.rows.iter().flat_map(|row| &row.cells);
    cells
        .chain([&results.reference])
        .for_each(|cell| text += &line(cell));
    text
}

#[cfg(test)]
mod tests {
    use super::{Table, figure};

    #[test]
    fn columns_are_aligned_by_characters() {
        let rows = [["name", "≤ 5"], ["ab", "1.5"], ["c", ""]];
        let rows = rows.map(|r| r.map(String::from).to_vec()).to_vec();
        assert_eq!(Table { rows }.lines(), ["name  ≤ 5", "ab    1.5", "c"]);
    }

    #[test]
    fn figures_have_three_places_or_less() {
        assert_eq!(
            [1.23456, 45.67, 2e9].map(figure),
            ["1.235", "45.7", "2×10⁹"]
        );
    }
}
