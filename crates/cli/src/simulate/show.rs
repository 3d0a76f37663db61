//! Results on the terminal.

use fokker_lab::simulation::{
    Exact, HEADINGS, Outcome, Simulation, chance, digits, grouped, resolved, trajectories,
};
use fokker_sim::shown;

use crate::output;

/// Statistics at the end, what is known exactly, and what went on beside.
pub(super) fn print(simulation: &Simulation, outcome: &Outcome, exact: Option<&Exact>) {
    let last = simulation.plan().save.len() - 1;
    let moments = &outcome.summaries.summaries()[last].moments;
    let mut head = format!("at t = {}", shown(simulation.plan().save[last]));
    if moments.non_finite() > 0 {
        let n = grouped(moments.count());
        head += &format!(", {n} of {}", trajectories(outcome.trajectories));
    }
    let stopped = outcome.events.as_ref().map_or(0, |e| e.moments.count());
    if stopped > 0 {
        let n = grouped(stopped);
        head += &format!(" ({n} of them stopped at the event and keep the state they had there)");
    }
    output::result(&head);
    let mut rows = vec![HEADINGS.map(String::from).to_vec()];
    rows.extend(simulation.rows(outcome, last));
    if outcome.trajectories == 1 {
        // Its state; there is nothing to sum up.
        rows.iter_mut().for_each(|row| row.truncate(2));
        rows.remove(0);
    }
    table(&rows);
    if let Some(exact) = exact {
        output::result("");
        table(&compared(exact));
        if let Some(doubt) = exact.doubt() {
            output::note(&format!("warning: {doubt}"));
        }
    }
    if let Some(events) = &outcome.events {
        output::result("");
        output::result(&simulation.events(outcome, events));
        if let Some(row) = simulation.event_row(outcome) {
            table(&[HEADINGS.map(String::from).to_vec(), row]);
        }
    }
    if moments.non_finite() > 0 {
        output::note(&format!(
            "warning: {} of {} failed and were left out",
            grouped(moments.non_finite()),
            trajectories(outcome.trajectories)
        ));
    }
}

/// What was measured, with its standard errors, beside what is known.
fn compared(exact: &Exact) -> Vec<Vec<String>> {
    let law = exact.sense();
    let head = ["", "mean", "±", law, "variance", "±", law, "KS p"];
    let mut rows = vec![head.map(String::from).to_vec()];
    for c in &exact.components {
        let none = || "–".to_owned();
        let error = |e: f64| if e > 0.0 { format!("{e:.1e}") } else { none() };
        let near = |x: f64, e: f64| if x.is_nan() { none() } else { resolved(x, e) };
        rows.push(vec![
            c.component.clone(),
            near(c.mean, c.mean_error),
            error(c.mean_error),
            near(c.exact_mean, c.mean_error),
            near(c.variance, c.variance_error),
            error(c.variance_error),
            c.exact_variance.map_or_else(none, digits),
            c.p_value.map_or_else(none, chance),
        ]);
    }
    if exact.components.iter().all(|c| c.mean_error == 0.0) {
        // No chance is in it: neither variances nor errors.
        for row in &mut rows {
            *row = vec![row[0].clone(), row[1].clone(), row[3].clone()];
        }
        rows[0][1] = "simulated".into();
    }
    rows
}

/// Columns aligned: the first to the left, numbers to the right.
fn table(rows: &[Vec<String>]) {
    let columns = rows[0].len();
    let width = |j: usize| {
        let cells = rows.iter().map(|row| row[j].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(j, (cell, &w))| match j {
            0 => format!("{cell:<w$}"),
            _ => format!("{cell:>w$}"),
        });
        output::result(&format!("  {}", cells.collect::<Vec<_>>().join("  ")));
    }
}
