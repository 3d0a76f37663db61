//! Steps on a Brownian tree: the path of the noise does not depend on the steps.
//!
//! The interval is halved again and again. The Brownian increment ΔW and the space-time Lévy area H
//! of an interval (I₁₀ = h(½ΔW + H)) determine those of its halves up to two fresh normal numbers,
//! which are addressed by the interval's place in the tree:
//!
//! ΔW₁ = ½ΔW + 3/2 H + Z, H₁ = ¼H − ½Z + ½N; ΔW₂ = ΔW − ΔW₁, H₂ = ¼H − ½Z − ½N,
//! Z ~ N(0, h/16), N ~ N(0, h/12)
//!
//! (Foster, Lyons & Oberhauser, *An optimal polynomial approximation of Brownian motion*, SIAM J.
//! Numer. Anal. 58, 2020).

use super::adaptive::Tolerance;
use super::block::{Block, Fault, Task, finite};
use super::control::norm;
use super::event::{Events, line};
use super::sde::{Increments, SdeMethod, Work, check_adaptive, check_method};
use super::{Grid, Solver};
use crate::error::SimError;
use crate::lane::{Mask, Real, Simd, Streams};
use crate::process::{Components, Process};
use crate::rng::{Address, Purpose};

/// The deepest level: steps are at least 2⁻²⁰ of the interval.
pub const MAX_DEPTH: u32 = 20;

/// How steps on the tree are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TreeSteps {
    /// 2^depth equal steps.
    Depth(u32),
    /// A step is accepted where it differs from its two halves by no more than the tolerance, and
    /// the halves are kept. Only for methods with strong order 1 for the noise at hand
    /// ([`SdeMethod::ADAPTIVE`]): a choice that looks at the noise gives others a wrong law.
    Tolerance(Tolerance),
}

/// A stochastic method on a Brownian tree. Trajectory i's noise is a function of the seed, i, the
/// interval and the precision alone: every choice of steps sees the same path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TreeSde<M> {
    method: M,
    steps: TreeSteps,
}

impl<M: SdeMethod> TreeSde<M> {
    /// `method` with those steps.
    pub fn new(method: M, steps: TreeSteps) -> Self {
        TreeSde { method, steps }
    }
}

/// An interval of the tree with the noise over it.
struct Node<N> {
    /// 1 is the whole interval, 2i and 2i + 1 are the halves of i.
    id: u32,
    dw: N,
    /// The space-time Lévy area H.
    area: N,
}

/// The noise of one trajectory.
struct Tree<R> {
    at: Streams,
    noise_dim: usize,
    length: f64,
    _real: std::marker::PhantomData<R>,
}

impl<R: Real> Tree<R> {
    /// Two normal numbers that belong to component `m` of node `id`.
    #[inline(always)]
    fn normals(&self, id: u32, m: usize) -> [R; 2] {
        let mut block = [R::default(); 4];
        let number = id * self.noise_dim as u32 + m as u32;
        R::normals(self.at, number, &mut block[..R::NORMALS_PER_BLOCK]);
        [block[0], block[1]]
    }

    /// The length of the interval of node `id`.
    #[inline(always)]
    fn span(&self, id: u32) -> f64 {
        self.length * 2f64.powi(-(id.ilog2() as i32))
    }

    /// The whole interval: its numbers belong to node 0.
    #[inline(always)]
    fn root<S: Simd<Real = R>, P: Process>(&self, process: &P) -> Node<P::Noise<S>> {
        let mut node = Node {
            id: 1,
            dw: P::Noise::<S>::zeros(process.noise_dim()),
            area: P::Noise::<S>::zeros(process.noise_dim()),
        };
        let root = self.length.sqrt();
        for m in 0..self.noise_dim {
            let [z, n] = self.normals(0, m).map(S::splat_real);
            node.dw.as_mut()[m] = z * root;
            node.area.as_mut()[m] = n * (root / 12.0_f64.sqrt());
        }
        node
    }

    #[inline(always)]
    fn split<S: Simd<Real = R>, P: Process>(
        &self,
        process: &P,
        node: &Node<P::Noise<S>>,
    ) -> [Node<P::Noise<S>>; 2] {
        let half = |id| Node {
            id,
            dw: P::Noise::<S>::zeros(process.noise_dim()),
            area: P::Noise::<S>::zeros(process.noise_dim()),
        };
        let (mut left, mut right) = (half(2 * node.id), half(2 * node.id + 1));
        let root = self.span(node.id).sqrt();
        for m in 0..self.noise_dim {
            let [z, n] = self.normals(node.id, m).map(S::splat_real);
            let (z, n) = (z * (root * 0.25), n * (root / 12.0_f64.sqrt()));
            let (dw, area) = (node.dw.as_ref()[m], node.area.as_ref()[m]);
            let first = dw * 0.5 + area * 1.5 + z;
            let middle = area * 0.25 - z * 0.5;
            left.dw.as_mut()[m] = first;
            right.dw.as_mut()[m] = dw - first;
            left.area.as_mut()[m] = middle + n * 0.5;
            right.area.as_mut()[m] = middle - n * 0.5;
        }
        [left, right]
    }
}

impl<M: SdeMethod> Solver for TreeSde<M> {
    const UNITS: usize = 1;
    /// Every trajectory walks its own tree.
    const ALONE: bool = true;

    fn title(&self) -> &'static str {
        M::TITLE
    }

    fn grid(&self) -> Grid {
        match self.steps {
            TreeSteps::Depth(depth) => Grid::Dyadic(depth),
            TreeSteps::Tolerance(_) => Grid::Dyadic(MAX_DEPTH),
        }
    }

    fn check<P: Process>(&self, process: &P) -> Result<(), SimError> {
        match self.steps {
            TreeSteps::Depth(depth) if depth > MAX_DEPTH => Err(SimError::Steps {
                steps: 1 << depth.min(62),
                max: 1 << MAX_DEPTH,
            }),
            TreeSteps::Depth(_) => Ok(()),
            TreeSteps::Tolerance(tolerance) => tolerance.check(),
        }?;
        check_method::<M, P>(process)?;
        match self.steps {
            TreeSteps::Depth(_) => Ok(()),
            TreeSteps::Tolerance(_) => check_adaptive::<M, P>(process),
        }
    }

    #[inline(always)]
    fn block<S: Simd, P: Process>(&self, process: &P, task: &Task<'_>, block: &mut Block<'_, S>) {
        debug_assert!(S::LANES == 1);
        let signed = task.to - task.from;
        let tree = Tree::<S::Real> {
            at: Streams(Address {
                seed: task.seed,
                purpose: Purpose::Solver,
                first: block.first,
                draw: 1,
            }),
            noise_dim: process.noise_dim(),
            length: signed.abs(),
            _real: std::marker::PhantomData,
        };
        let depth = match self.steps {
            TreeSteps::Depth(depth) => depth,
            TreeSteps::Tolerance(_) => MAX_DEPTH,
        };
        // Places are counted in the smallest intervals.
        let finest = |id: u32| 1_usize << (depth - id.ilog2());
        let begin = |id: u32| (id as usize - (1 << id.ilog2())) * finest(id);
        let time = |place: usize| task.from + signed * (place as f64 / (1_u64 << depth) as f64);

        let mut x = P::State::<S>::zeros(process.dim());
        block.load(0, x.as_mut());
        let mut work = Work::<S, P>::new(process);
        let mut i10 = P::Noise::<S>::zeros(process.noise_dim());
        let mut events = (P::EVENTS && process.has_event())
            .then(|| Events::<S>::new(process, S::splat(task.from), &x));
        let saves = task.save.len();
        let mut next_save = 0;
        let mut stack = vec![tree.root::<S, P>(process)];
        let mut preferred = tree.length / 64.0;
        let mut steps = 0;

        while let Some(node) = stack.pop() {
            let (place, size) = (begin(node.id), finest(node.id));
            while next_save < saves && task.save_steps[next_save] <= place {
                block.save(0, (next_save, saves, task.save[next_save]), x.as_ref());
                next_save += 1;
            }
            if next_save == saves {
                return;
            }
            let h = tree.span(node.id);
            let cut = task.save_steps[next_save] < place + size;
            let smallest = size == 1;
            let split_first = match self.steps {
                TreeSteps::Depth(_) => !smallest,
                TreeSteps::Tolerance(_) => !smallest && (cut || h > preferred * 1.000_001),
            };
            let push = |stack: &mut Vec<_>, [left, right]: [Node<P::Noise<S>>; 2]| {
                stack.push(right);
                stack.push(left);
            };
            if split_first {
                push(&mut stack, tree.split(process, &node));
                continue;
            }
            let t = time(place);
            let h_signed = signed.signum() * h;
            let mut advance = |x: &mut P::State<S>, node: &Node<P::Noise<S>>, t: f64, h: f64| {
                for ((i10, dw), area) in i10
                    .as_mut()
                    .iter_mut()
                    .zip(node.dw.as_ref())
                    .zip(node.area.as_ref())
                {
                    *i10 = (*dw * 0.5 + *area) * h;
                }
                let noise = Increments {
                    dw: &node.dw,
                    i10: &i10,
                };
                M::step(process, S::splat(t), S::splat(h), x, &noise, &mut work);
            };
            let mut new = x.clone();
            if let TreeSteps::Tolerance(tolerance) = self.steps {
                if steps == tolerance.max_steps {
                    block.faults[0] = Some(Fault::TooManySteps(t, steps));
                    return;
                }
                steps += 1;
                let mut coarse = x.clone();
                advance(&mut coarse, &node, t, h_signed);
                let halves = tree.split(process, &node);
                advance(&mut new, &halves[0], t, 0.5 * h_signed);
                advance(&mut new, &halves[1], t + 0.5 * h_signed, 0.5 * h_signed);
                let mut difference = coarse.clone();
                for (d, new) in difference.as_mut().iter_mut().zip(new.as_ref()) {
                    *d = *d - *new;
                }
                let mut size = [S::Real::default()];
                norm(difference.as_ref(), x.as_ref(), new.as_ref(), &tolerance).store(&mut size);
                let size = size[0].to_f64();
                // The local error of strong order p is O(h^{p + ½}).
                let factor = (0.9 * size.max(1e-10).powf(-1.0 / (M::ORDER + 0.5))).clamp(0.2, 5.0);
                let accepted = size <= 1.0 && finite(new.as_ref()).all();
                preferred = h * if accepted { factor } else { factor.min(0.5) };
                if !accepted {
                    if smallest {
                        block.faults[0] = Some(Fault::StepUnderflow(t));
                        return;
                    }
                    push(&mut stack, halves);
                    continue;
                }
            } else {
                advance(&mut new, &node, t, h_signed);
            }
            if let Some(events) = &mut events {
                let before = x.clone();
                let end = new.clone();
                let stopped = events.after_step(
                    process,
                    (S::splat(t), S::splat(h_signed)),
                    S::Mask::splat(true),
                    &mut new,
                    |theta, y| line(theta, before.as_ref(), end.as_ref(), y.as_mut()),
                    block.stops,
                );
                if stopped.any() {
                    for k in next_save..saves {
                        block.save(0, (k, saves, task.save[k]), new.as_ref());
                    }
                    return;
                }
            }
            x = new;
            super::block::note_blow_ups(x.as_ref(), t + h_signed, block.faults);
            if block.faults[0].is_some() {
                return;
            }
        }
        for k in next_save..saves {
            block.save(0, (k, saves, task.save[k]), x.as_ref());
        }
    }
}
