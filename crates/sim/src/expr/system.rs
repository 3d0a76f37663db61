//! A differential equation given by expressions.

use std::fmt;

use super::ast::{ATOM, Expr, PRODUCT, SUM};
use super::builder::SystemBuilder;
use super::print::number;
use super::program::Program;
use crate::lane::Lane;
use crate::process::{Calculus, NoiseKind, Process};

/// dX = f(t, X) dt + g(t, X) dW with f and g given as text; see the [module](super) for how.
///
/// Its `Display` is the equations as they were understood.
#[derive(Clone, Debug)]
pub struct System {
    pub(super) names: Vec<String>,
    pub(super) parameters: Vec<(String, f64)>,
    pub(super) unused: Vec<String>,
    pub(super) drift: Program,
    /// Computes g(t, x)·dW.
    pub(super) diffusion: Program,
    pub(super) event: Option<Program>,
    pub(super) noises: usize,
    pub(super) kind: NoiseKind,
    pub(super) calculus: Calculus,
    pub(super) text: Text,
}

/// The equations as syntax trees, for printing.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) drift: Vec<Expr>,
    /// For each component the noises that it has, and their coefficients.
    pub(super) diffusion: Vec<Vec<(usize, Expr)>>,
    pub(super) event: Option<Expr>,
}

impl System {
    /// A system without equations, to which they are added.
    pub fn builder() -> SystemBuilder {
        SystemBuilder::default()
    }

    /// The parameters that were given but occur nowhere.
    pub fn unused_params(&self) -> &[String] {
        &self.unused
    }

    /// The parameters and their values, in the order in which they were given.
    pub fn params(&self) -> &[(String, f64)] {
        &self.parameters
    }

    /// The compiled drift.
    pub fn drift_program(&self) -> &Program {
        &self.drift
    }

    /// The compiled product g(t, x)·dW.
    pub fn diffusion_program(&self) -> &Program {
        &self.diffusion
    }
}

impl Process for System {
    type State<L: Lane> = Vec<L>;
    type Noise<L: Lane> = Vec<L>;

    const EVENTS: bool = true;
    const INTERPRETED: bool = true;

    fn dim(&self) -> usize {
        self.names.len()
    }

    fn noise_dim(&self) -> usize {
        self.noises
    }

    #[inline(always)]
    fn drift<L: Lane>(&self, t: L, x: &Vec<L>, f: &mut Vec<L>) {
        self.drift.eval(t, x, &[], f);
    }

    #[inline(always)]
    fn diffusion<L: Lane>(&self, t: L, x: &Vec<L>, dw: &Vec<L>, out: &mut Vec<L>) {
        self.diffusion.eval(t, x, dw, out);
    }

    fn noise_kind(&self) -> NoiseKind {
        self.kind
    }

    fn calculus(&self) -> Calculus {
        self.calculus
    }

    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn has_event(&self) -> bool {
        self.event.is_some()
    }

    #[inline(always)]
    fn event<L: Lane>(&self, t: L, x: &Vec<L>) -> L {
        let mut out = [L::splat(1.0)];
        if let Some(event) = &self.event {
            event.eval(t, x, &[], &mut out);
        }
        out[0]
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.names.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            let drift = &self.text.drift[i];
            if self.noises == 0 {
                write!(f, "{name}' = ")?;
                drift.write(f, SUM)?;
                continue;
            }
            write!(f, "d{name} = ")?;
            drift.write(f, PRODUCT)?;
            f.write_str(" dt")?;
            for (j, coefficient) in &self.text.diffusion[i] {
                f.write_str(" + ")?;
                // A leading minus needs parentheses too.
                let leads = coefficient.to_string().starts_with('-');
                coefficient.write(f, if leads { ATOM } else { PRODUCT })?;
                f.write_str(match self.calculus {
                    Calculus::Ito => " dW",
                    Calculus::Stratonovich => " ∘ dW",
                })?;
                if self.noises > 1 {
                    write!(f, "{}", j + 1)?;
                }
            }
        }
        if self.noises > 0 {
            write!(f, "  ({})", self.calculus)?;
        }
        if let Some(event) = &self.text.event {
            f.write_str("\nuntil ")?;
            event.write(f, SUM)?;
            f.write_str(" = 0")?;
        }
        for (i, (name, value)) in self.parameters.iter().enumerate() {
            f.write_str(if i == 0 { "\nwith " } else { ", " })?;
            write!(f, "{name} = {}", number(*value))?;
        }
        Ok(())
    }
}
