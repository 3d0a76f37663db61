//! The diffusion matrix: its shape, and how it depends on the state.

use super::ast::Expr;
use super::error::{Fault, Span};
use super::graph::{Graph, Value};
use super::names::Scope;
use super::op::Op;
use super::parse::Entry;
use crate::process::NoiseKind;

/// The entries of g that are not 0.
pub(super) struct Diffusion {
    /// Row, column, coefficient.
    entries: Vec<(usize, usize, Expr, Value)>,
    states: usize,
    pub(super) noises: usize,
}

impl Diffusion {
    /// No noise.
    pub(super) fn none(states: usize) -> Self {
        Diffusion {
            entries: Vec::new(),
            states,
            noises: 0,
        }
    }

    /// Rows as they were written: one row of D coefficients is a diagonal, D rows are a matrix.
    pub(super) fn new(
        rows: Vec<Vec<Entry>>,
        states: usize,
        text: &str,
        graph: &mut Graph,
        scope: &mut Scope,
    ) -> Result<Self, Fault> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let diagonal = states > 1 && rows.len() == 1 && columns == states;
        if !diagonal {
            let whole = Span::new(0, text.len());
            if rows.len() != states {
                return Err(wrong_shape(whole, &rows, states));
            }
            if let Some(row) = rows.iter().find(|row| row.len() != columns) {
                let span = row[0].expr.span().to(row[row.len() - 1].expr.span());
                let end = if row.len() == 1 { "" } else { "s" };
                let message = format!("a row of {} coefficient{end}", row.len());
                return Err(Fault::new(span, message).hint(format!(
                    "another row has {columns}; write 0 where there is no noise"
                )));
            }
        }
        let mut diffusion = Diffusion {
            entries: Vec::new(),
            states,
            noises: columns,
        };
        for (i, row) in rows.into_iter().enumerate() {
            for (j, entry) in row.into_iter().enumerate() {
                if let Some((_, span)) = entry.name {
                    return Err(Fault::new(span, "an equation in the diffusion")
                        .hint("give the coefficients alone, in the order of the components"));
                }
                let value = graph.lower(&entry.expr, scope)?;
                if !graph.is_zero(value) {
                    let row = if diagonal { j } else { i };
                    diffusion.entries.push((row, j, entry.expr, value));
                }
            }
        }
        if diffusion.entries.is_empty() {
            diffusion.noises = 0;
        }
        Ok(diffusion)
    }

    /// The values of the product g·dW.
    pub(super) fn product(&self, graph: &mut Graph) -> Vec<Value> {
        let mut sums: Vec<Option<Value>> = vec![None; self.states];
        for (i, j, _, g) in &self.entries {
            let dw = graph.input(1 + self.states + j);
            let term = graph.op(Op::Mul, [*g, dw]);
            sums[*i] = Some(match sums[*i] {
                None => term,
                Some(sum) => graph.op(Op::Add, [sum, term]),
            });
        }
        sums.into_iter()
            .map(|sum| sum.unwrap_or_else(|| graph.number(0.0)))
            .collect()
    }

    /// How g depends on the state, as far as its form shows. The columns commute if no noise moves
    /// a component that the column of another noise depends on.
    pub(super) fn kind(&self, graph: &Graph) -> NoiseKind {
        if self.noises == 0 {
            return NoiseKind::None;
        }
        // The columns that depend on each component.
        let mut dependents = vec![Vec::new(); self.states];
        for (_, j, _, g) in &self.entries {
            for input in graph.inputs(*g) {
                if input > 0 {
                    dependents[input - 1].push(*j);
                }
            }
        }
        if dependents.iter().all(Vec::is_empty) {
            return NoiseKind::Additive;
        }
        let commute = (self.entries.iter()).all(|(i, j, ..)| dependents[*i].iter().all(|k| k == j));
        if commute {
            NoiseKind::Commutative
        } else {
            NoiseKind::General
        }
    }

    /// For each component the noises that it has, and their coefficients.
    pub(super) fn into_text(self) -> Vec<Vec<(usize, Expr)>> {
        let mut text = vec![Vec::new(); self.states];
        for (i, j, expr, _) in self.entries {
            text[i].push((j, expr));
        }
        text
    }
}

fn wrong_shape(whole: Span, rows: &[Vec<Entry>], states: usize) -> Fault {
    let given = match rows {
        [] => return Fault::new(whole, "there is no coefficient").hint("write 0 for no noise"),
        [row] if row.len() == 1 => "1".to_owned(),
        [row] => format!("{} in a row", row.len()),
        _ => format!("{} rows", rows.len()),
    };
    let components = match states {
        1 => "1 component".to_owned(),
        n => format!("{n} components"),
    };
    Fault::new(
        whole,
        format!("coefficients for {components} are needed, not {given}"),
    )
    .note(match states {
        1 => {
            "write one coefficient, or several with `,` between them for several noises".to_owned()
        }
        n => format!(
            "write {n} coefficients with `,` between them for a noise of its own for each \
             component (0 where there is none, such as {}), or {n} rows with `;` between them, \
             each with a coefficient for every noise",
            (1..n).map(|_| "0, ").collect::<String>() + "1"
        ),
    })
}
