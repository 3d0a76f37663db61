use std::collections::BTreeMap;

use super::{TransportError, pairs};

/// A number in the unit of squared distances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Strength {
    /// The number itself. The Schrödinger bridge of diffusion σ needs ε = 2σ² absolute.
    Absolute(f64),
    /// A multiple of the mean squared distance between the points of x₀ and x₁ that are solved for
    /// together (the batch; one class, where classes are kept apart): free of the data's unit and
    /// dimension. 0.05 is a usual ε.
    Relative(f64),
}

impl Strength {
    /// The number, where the mean cost is `mean`. Where all points coincide any positive unit will do.
    pub(super) fn of(self, mean: f64) -> f64 {
        match self {
            Strength::Absolute(value) => value,
            Strength::Relative(value) => value * if mean > 0.0 { mean } else { 1.0 },
        }
    }
}

/// How x₀ and x₁ of a batch are brought together. The cost is the squared distance, in the unit of the
/// points and not divided by the dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// As they came.
    Independent,
    /// By the permutation of least total cost (Pooladian et al., *Multisample flow matching*, ICML
    /// 2023; Tong et al., TMLR 2024). Every point is used once.
    Optimal,
    /// Each x₁ gets an x₀ drawn from its column of the entropic plan: every x₁ is used once, an x₀ as
    /// often as it falls.
    Entropic {
        /// ε of [`super::Sinkhorn`].
        epsilon: Strength,
    },
    /// Pairs drawn from the unbalanced plan, normalised: outliers of either side are rarely drawn
    /// (Eyring et al., *Unbalancedness in neural Monge maps improves unpaired domain translation*,
    /// ICLR 2024).
    Unbalanced {
        /// ε of [`super::Unbalanced`].
        epsilon: Strength,
        /// ρ of [`super::Unbalanced`].
        rho: Strength,
    },
}

/// A coupling of mini-batches: a joint law of (x₀, x₁), by pairing the points of two batches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coupling {
    /// How pairs are made.
    pub method: Method,
    /// Whether each class of x₁ is solved for itself, so that no pair crosses classes.
    ///
    /// Where x₀ has labels, too, equal labels are paired. Where it has none it is noise, and the rows
    /// that arrived beside a class's data stay with that class. Paired across classes, the noise of a
    /// class would no longer be p_init, and a conditional field would start from the wrong law at
    /// sampling time (Cheng & Schwing, *The curse of conditions: analyzing and improving optimal
    /// transport for conditional flow-based generation*, ICCV 2025).
    pub class_aware: bool,
}

/// n points x₀ ~ p_init and n points x₁ ~ p_data, as they were drawn.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// x₀, n rows of `dim` numbers.
    pub x0: &'a [f32],
    /// x₁, n rows of `dim` numbers.
    pub x1: &'a [f32],
    /// Numbers per point.
    pub dim: usize,
    /// The n labels of x₀, where it is data.
    pub labels0: Option<&'a [u32]>,
    /// The n labels of x₁.
    pub labels1: Option<&'a [u32]>,
}

/// The pairs of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairs {
    /// (row of x₀, row of x₁), n of them.
    ///
    /// Pair k has row k of x₁ in all methods but [`Method::Unbalanced`], and if the coupling is
    /// class-aware, it has the label of row k of x₁ in that one as well.
    pub indices: Vec<(usize, usize)>,
    /// How far the entropic plan's marginal of x₀ is from equal weights, as a share of all weight (the
    /// worst class counts); for the unbalanced plan the last change of a potential in units of ε. The
    /// iteration is stopped at 1e-3 or after 1,000 sweeps, and drawn from in any case: larger values
    /// mean that ε is too small, and [`Method::Optimal`] may be what is wanted. 0 for the others.
    pub error: f64,
}

impl Coupling {
    /// Draws the pairs of a batch. `uniforms` holds n independent numbers in \[0, 1) for
    /// [`Method::Entropic`] and [`Method::Unbalanced`]; the others use none. The result is a function
    /// of the arguments alone.
    ///
    /// # Errors
    /// [`TransportError::Batch`], [`TransportError::LabelCount`], [`TransportError::Uniforms`] for
    /// slices of the wrong length; [`TransportError::NoLabels`] and [`TransportError::Class`] for
    /// classes that cannot be paired within themselves; [`TransportError::Cost`] for points that are not
    /// finite; those of [`super::Unbalanced::solve`] for ε and ρ, and [`TransportError::NoMass`].
    pub fn pair(&self, batch: &Batch<'_>, uniforms: &[f64]) -> Result<Pairs, TransportError> {
        let n = batch.check()?;
        let draws = matches!(
            self.method,
            Method::Entropic { .. } | Method::Unbalanced { .. }
        );
        if draws && uniforms.len() != n {
            let got = uniforms.len();
            return Err(TransportError::Uniforms { expected: n, got });
        }
        let mut pairs = Pairs {
            indices: vec![(0, 0); n],
            error: 0.0,
        };
        for class in self.classes(batch, n)? {
            let u: Vec<f64> = class
                .rows1
                .iter()
                .map_while(|&j| uniforms.get(j).copied())
                .collect();
            let (found, error) = pairs::within(self.method, batch, &class, &u)?;
            // A class answers in the places of its own data.
            for (&place, (k, l)) in class.rows1.iter().zip(found) {
                pairs.indices[place] = (class.rows0[k], class.rows1[l]);
            }
            pairs.error = pairs.error.max(error);
        }
        Ok(pairs)
    }

    fn classes(&self, batch: &Batch<'_>, n: usize) -> Result<Vec<Class>, TransportError> {
        if !self.class_aware {
            let rows: Vec<usize> = (0..n).collect();
            let all = Class {
                rows0: rows.clone(),
                rows1: rows,
            };
            return Ok(if n == 0 { Vec::new() } else { vec![all] });
        }
        let labels1 = batch.labels1.ok_or(TransportError::NoLabels)?;
        let labels0 = batch.labels0.unwrap_or(labels1);
        let mut classes: BTreeMap<u32, Class> = BTreeMap::new();
        for (row, (&label0, &label1)) in labels0.iter().zip(labels1).enumerate() {
            classes.entry(label0).or_default().rows0.push(row);
            classes.entry(label1).or_default().rows1.push(row);
        }
        let one_to_one = matches!(self.method, Method::Independent | Method::Optimal);
        for (&label, class) in &classes {
            let (x0, x1) = (class.rows0.len(), class.rows1.len());
            let refuse = |need| {
                Err(TransportError::Class {
                    label,
                    x0,
                    x1,
                    need,
                })
            };
            if one_to_one && x0 != x1 {
                return refuse("this coupling pairs one to one and needs equally many");
            }
            if x0 == 0 && x1 > 0 {
                return refuse("and needs at least one on either side");
            }
        }
        Ok(classes
            .into_values()
            .filter(|class| !class.rows1.is_empty())
            .collect())
    }
}

impl Batch<'_> {
    /// n.
    fn check(&self) -> Result<usize, TransportError> {
        let (x0, x1) = (self.x0.len(), self.x1.len());
        if self.dim == 0 || x0 != x1 || !x0.is_multiple_of(self.dim) {
            return Err(TransportError::Batch {
                dim: self.dim,
                x0,
                x1,
            });
        }
        let expected = x0 / self.dim;
        for (side, labels) in [("x0", self.labels0), ("x1", self.labels1)] {
            if let Some(labels) = labels.filter(|labels| labels.len() != expected) {
                let got = labels.len();
                return Err(TransportError::LabelCount {
                    side,
                    expected,
                    got,
                });
            }
        }
        Ok(expected)
    }
}

/// The rows that may be paired with each other.
#[derive(Default)]
pub(super) struct Class {
    pub(super) rows0: Vec<usize>,
    pub(super) rows1: Vec<usize>,
}

#[cfg(test)]
mod tests;
