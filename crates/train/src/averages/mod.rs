//! Moving averages of a network's weights.

mod posthoc;
pub mod profile;

use burn::module::Module;

use crate::config::{Average, EmaConfig};
use crate::params;

pub use posthoc::Weights;
pub(crate) use posthoc::{SNAPSHOTS, snapshot};

/// The averages that a training keeps beside its network, without autodiff.
pub(crate) struct Averages<N> {
    /// The constant one first, where there is one.
    members: Vec<(Average, N)>,
    decay: f64,
}

impl<N: Module> Averages<N> {
    /// Those of `config`, at the weights of `net`.
    pub(crate) fn new(config: &EmaConfig, net: &N) -> Self {
        let members = config.averages().into_iter();
        Self {
            members: members.map(|which| (which, net.valid())).collect(),
            decay: config.decay,
        }
    }

    /// What is sampled from unless told otherwise.
    pub(crate) fn first(&self) -> Option<&N> {
        self.members.first().map(|(_, net)| net)
    }

    /// Every average with its name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Average, N)> {
        self.members.iter()
    }

    /// Moves all of them towards `net`, the weights after step `step` (counted from 0).
    pub(crate) fn update(&mut self, net: &N, step: u64) {
        let members = std::mem::take(&mut self.members).into_iter();
        let moved = members.map(|(which, average)| {
            let decay = match which {
                Average::Power(sigma) => profile::decay(profile::exponent(sigma), step + 1),
                // The warm-up keeps the first, random weights out of a short training's average.
                _ => {
                    let k = step as f64;
                    self.decay.min((1.0 + k) / (10.0 + k))
                }
            };
            (which, params::average(average, net, decay))
        });
        self.members = moved.collect();
    }

    /// The same with every network replaced by what `load` makes of it.
    pub(crate) fn try_map<E>(
        self,
        mut load: impl FnMut(Average, N) -> Result<N, E>,
    ) -> Result<Self, E> {
        let members = self.members.into_iter();
        let members = members.map(|(which, net)| Ok((which, load(which, net)?)));
        Ok(Self {
            members: members.collect::<Result<_, E>>()?,
            decay: self.decay,
        })
    }
}
