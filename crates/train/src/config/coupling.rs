//! `[coupling]`: which start goes with which data point.

use std::path::PathBuf;

use fokker_math::transport::{Coupling, Method, Strength};
use serde::{Deserialize, Serialize};

use super::check::{Refusal, refuse, within};
use crate::{RunFolder, TrainError};

/// How the rows of a batch are paired.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CouplingConfig {
    /// The rule.
    pub kind: CouplingKind,
    /// Never pair across classes. Without it: yes where the network is given classes, because the starts of a
    /// class would no longer be p_init otherwise, and the source (if any) has these classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_aware: Option<bool>,
    /// `entropic`, `unbalanced`: the entropy's weight ε on squared distances. Default: 0.05.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// `unbalanced`: the marginals' weight ρ on squared distances. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rho: Option<f64>,
    /// Are epsilon and rho numbers, not shares of the batch's mean squared distance? A Schrödinger bridge
    /// of σ needs ε = 2σ² so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub absolute: bool,
    /// `rectified`: the run whose model makes the pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<PathBuf>,
    /// `rectified`: the run's step at which the pairs were made; written down when the training begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// `rectified`: how many pairs. Default: 50,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairs: Option<u64>,
}

/// The rules of pairing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CouplingKind {
    /// As they come.
    #[default]
    Independent,
    /// Optimal transport within the batch, exactly (Pooladian et al. 2023; Tong et al. 2024).
    Optimal,
    /// Entropic optimal transport within the batch (Sinkhorn).
    Entropic,
    /// Entropic optimal transport that may leave outliers out (Eyring et al. 2024).
    Unbalanced,
    /// Starts and ends of a trained model's own paths (Liu et al., *Rectified flow*, 2023).
    Rectified,
}

const EPSILON: f64 = 0.05;
const RHO: f64 = 1.0;
const PAIRS: u64 = 50_000;

impl CouplingConfig {
    /// The rule within a batch; a rectified one comes with its pairs made.
    pub fn coupling(&self, class_aware: bool) -> Coupling {
        let strength = |value: Option<f64>, usual: f64| match self.absolute {
            false => Strength::Relative(value.unwrap_or(usual)),
            true => Strength::Absolute(value.unwrap_or(usual)),
        };
        let epsilon = strength(self.epsilon, EPSILON);
        let rho = strength(self.rho, RHO);
        Coupling {
            method: match self.kind {
                CouplingKind::Independent | CouplingKind::Rectified => Method::Independent,
                CouplingKind::Optimal => Method::Optimal,
                CouplingKind::Entropic => Method::Entropic { epsilon },
                CouplingKind::Unbalanced => Method::Unbalanced { epsilon, rho },
            },
            class_aware,
        }
    }

    /// Does it pair within the batch, by transport?
    pub fn is_transport(&self) -> bool {
        !matches!(
            self.kind,
            CouplingKind::Independent | CouplingKind::Rectified
        )
    }

    /// How many rectified pairs.
    pub fn pairs(&self) -> u64 {
        self.pairs.unwrap_or(PAIRS)
    }

    pub(super) fn check(&self) -> Result<(), Refusal> {
        use CouplingKind::{Entropic, Rectified, Unbalanced};
        let belongs = |key: &str, given: bool, kinds: &[CouplingKind], whose: &str| {
            if given && !kinds.contains(&self.kind) {
                return refuse(
                    &format!("coupling.{key}"),
                    format!("only kind = {whose} takes this"),
                );
            }
            Ok(())
        };
        let soft = "\"entropic\" or \"unbalanced\"";
        belongs(
            "epsilon",
            self.epsilon.is_some(),
            &[Entropic, Unbalanced],
            soft,
        )?;
        belongs("rho", self.rho.is_some(), &[Unbalanced], "\"unbalanced\"")?;
        belongs("absolute", self.absolute, &[Entropic, Unbalanced], soft)?;
        belongs("run", self.run.is_some(), &[Rectified], "\"rectified\"")?;
        belongs("step", self.step.is_some(), &[Rectified], "\"rectified\"")?;
        belongs("pairs", self.pairs.is_some(), &[Rectified], "\"rectified\"")?;
        if self.class_aware == Some(true) && !self.is_transport() {
            let what = "only kind = \"optimal\", \"entropic\" or \"unbalanced\" pairs anything";
            return refuse("coupling.class_aware", what);
        }
        within(
            "coupling.epsilon",
            self.epsilon.unwrap_or(EPSILON),
            1e-4,
            1e3,
        )?;
        within("coupling.rho", self.rho.unwrap_or(RHO), 1e-4, 1e6)?;
        if self.kind == Rectified {
            if self.run.is_none() {
                let what = "this key is missing: the run folder whose model makes the pairs";
                return refuse("coupling.run", what);
            }
            if !(2..=100_000_000).contains(&self.pairs()) {
                let what = format!("expected 2 to 100000000, got {}", self.pairs());
                return refuse("coupling.pairs", what);
            }
        }
        Ok(())
    }

    /// The same with the run's path made absolute and its present step written down.
    ///
    /// # Errors
    /// A run that cannot be opened.
    pub(crate) fn pinned(mut self) -> Result<Self, TrainError> {
        let Some(run) = &mut self.run else {
            return Ok(self);
        };
        if let Ok(full) = std::path::absolute(&*run) {
            *run = full;
        }
        if self.step.is_none() {
            self.step = Some(RunFolder::open(run)?.latest()?.step);
        }
        Ok(self)
    }
}
