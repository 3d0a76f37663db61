use std::collections::VecDeque;

use fokker_math::multistep::{self, Node, Update};

use super::Stepper;
use super::ask::{Known, ask_at_start, combine, node};
use crate::renoise::with_noise;
use crate::{Denoiser, Noise, Span, State};

/// Which weights a [`Multistep`] sampler uses; all of them are `fokker_math::multistep`'s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    /// DDIM(η).
    Ddim(f64),
    /// DPM-Solver++(2M) as published, with SDE noise η.
    DpmSecond(f64),
    /// Exponential Adams–Bashforth in D, with SDE noise η.
    Exponential(f64),
    /// Polynomials in ln σ through ε̂.
    Deis,
    /// Polynomials in σ through ε̂.
    Lms,
    /// UniP and UniC.
    UniPc,
}

/// A linear multistep sampler: one call a step, and the estimates of earlier steps.
pub(super) struct Multistep {
    rule: Rule,
    order: usize,
    /// The latest estimates, newest first.
    known: VecDeque<Known>,
    /// Where the last step began and of what order it was: what a corrector starts from.
    begun: Option<(State, usize)>,
    /// Where the last step ended.
    end: Option<f64>,
}

impl Multistep {
    pub(super) fn boxed(rule: Rule, order: usize) -> Box<dyn Stepper> {
        Box::new(Self {
            rule,
            order,
            known: VecDeque::new(),
            begun: None,
            end: None,
        })
    }

    fn weights(&self, nodes: &[Node], to: Node) -> Update {
        match self.rule {
            Rule::Ddim(eta) if self.known[0].eps.is_some() => multistep::ddim(nodes[0], to, eta),
            Rule::Ddim(eta) => multistep::ddim_of_data(nodes[0], to, eta),
            Rule::DpmSecond(eta) => multistep::dpm_second(nodes, to, eta),
            Rule::Exponential(eta) => multistep::stochastic(nodes, to, eta),
            Rule::Deis => multistep::deis(nodes, to),
            Rule::Lms => multistep::lms(nodes, to),
            Rule::UniPc => multistep::unip(nodes, to),
        }
    }
}

impl Stepper for Multistep {
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, noise: &mut dyn Noise) -> State {
        if self.end != Some(span.from) {
            self.known.clear();
            self.begun = None;
        }
        self.end = Some(span.to);
        let in_noise = matches!(self.rule, Rule::Deis | Rule::Lms);
        let here = ask_at_start(model, &x, span, in_noise);
        let x = match self.begun.take() {
            Some((before, order)) if self.rule == Rule::UniPc => {
                let nodes: Vec<Node> = self.known.iter().take(order).map(|k| k.node).collect();
                let update = multistep::unic(&nodes, here.node);
                let all = std::iter::once(&here).chain(&self.known);
                apply(&update, &before, all)
            }
            _ => x,
        };
        self.known.push_front(here);
        self.known.truncate(self.order);
        // Towards the data UniPC lowers its order step by step, as published.
        let order = match (self.rule, span.to_data) {
            (Rule::UniPc, Some(left)) => self.known.len().min(left + 1),
            _ => self.known.len(),
        };
        let nodes: Vec<Node> = self.known.iter().take(order).map(|k| k.node).collect();
        let update = self.weights(&nodes, node(model, span.to));
        let next = apply(&update, &x, &self.known);
        if self.rule == Rule::UniPc {
            self.begun = Some((x, order));
        }
        with_noise(next, update.noise, noise)
    }
}

/// The deterministic part of an update.
pub(super) fn apply<'a>(
    update: &Update,
    x: &'a State,
    known: impl IntoIterator<Item = &'a Known> + Clone,
) -> State {
    let data = update
        .data
        .iter()
        .zip(known.clone())
        .map(|(w, k)| (*w, &k.data));
    let eps = update
        .eps
        .iter()
        .zip(known)
        .filter_map(|(w, k)| Some((*w, k.eps.as_ref()?)));
    combine(std::iter::once((update.state, x)).chain(data).chain(eps))
}
