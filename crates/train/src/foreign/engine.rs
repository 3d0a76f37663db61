//! Tensors from their names and shapes to ours and back, by a table.

use std::collections::{BTreeMap, BTreeSet};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use fokker_nn::layers::Positions;

use super::state_dict::StateDict;
use super::table::{Change, Layer, Line, Made, Row, captures, filled, lines};
use crate::params::{self, HostTensor, Path};

/// What a table needs to know beside names and shapes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// Channels of an image.
    pub(super) channels: usize,
    /// Width and grid of the fixed positions, where there are some.
    pub(super) positions: Option<(usize, [usize; 2])>,
    /// Do they have a row for ∅ in their table of classes?
    pub(super) null: bool,
}

/// A tensor of theirs, in whole numbers where it counts something.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Theirs {
    Floats(Vec<usize>, Vec<f32>),
    Counter,
}

/// A tensor of ours and what it is there.
struct Pair {
    /// One name, several that stand side by side, or several copies.
    theirs: Vec<String>,
    change: Change,
    copies: bool,
    /// A counter that stands beside it there.
    counter: Option<String>,
}

/// How the weights of a file differ from those that are wanted.
#[derive(Debug, Default)]
pub(super) struct Differences {
    pub(super) shapes: Vec<String>,
    pub(super) missing: Vec<String>,
    pub(super) unexpected: Vec<String>,
}

impl Differences {
    fn is_empty(&self) -> bool {
        self.shapes.is_empty() && self.missing.is_empty() && self.unexpected.is_empty()
    }
}

impl std::fmt::Display for Differences {
    /// The first three, and how many there are.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let missing = self.missing.iter().map(|n| format!("{n} is missing"));
        let unexpected = self.unexpected.iter().map(|n| format!("{n} has no place"));
        let all: Vec<String> = self
            .shapes
            .iter()
            .cloned()
            .chain(missing)
            .chain(unexpected)
            .collect();
        write!(f, "{}", all[..all.len().min(3)].join("; "))?;
        if all.len() > 3 {
            write!(f, "; and {} more", all.len() - 3)?;
        }
        write!(
            f,
            " ({} of another shape, {} missing, {} unexpected)",
            self.shapes.len(),
            self.missing.len(),
            self.unexpected.len()
        )
    }
}

/// A table with the facts it needs.
pub(super) struct Table {
    rows: &'static [Row],
    lines: Vec<Line>,
    facts: Facts,
}

impl Table {
    /// The table of these rows.
    pub(super) fn new(rows: &'static [Row], facts: Facts) -> Self {
        let mut found = Vec::new();
        lines(rows, "", "", &mut found);
        let lines = found;
        Self { rows, lines, facts }
    }

    /// `module` with the weights of `dict`, on `device`.
    ///
    /// # Errors
    /// In words: tensors that do not fit, a network that is not of this table's family, copies that differ.
    pub(super) fn bring<M: Module>(
        &self,
        module: M,
        dict: &StateDict,
        device: &Device,
    ) -> Result<M, String> {
        let ours = shapes(&module);
        let mut wrong = Differences::default();
        let mut used = BTreeSet::new();
        let mut pairs = BTreeMap::new();
        for (name, shape) in &ours {
            let pair = self.pair(name, &ours)?;
            let expected = self.shape_there(&pair, shape);
            used.extend(pair.counter.iter().cloned());
            for theirs in &pair.theirs {
                used.insert(theirs.clone());
                match dict.shape(theirs) {
                    None => wrong.missing.push(theirs.clone()),
                    Some(found) if found != expected => wrong
                        .shapes
                        .push(format!("{theirs}: expected {expected:?}, found {found:?}")),
                    Some(_) => {}
                }
            }
            pairs.insert(name.clone(), pair);
        }
        let left_out = |name: &str| {
            self.rows.iter().any(|row| match row {
                Row::Made(pattern, _) | Row::LeftOut(pattern) => captures(pattern, name).is_some(),
                _ => false,
            })
        };
        let unexpected = dict.names().filter(|n| !used.contains(*n) && !left_out(n));
        wrong.unexpected.extend(unexpected.map(str::to_owned));
        if !wrong.is_empty() {
            return Err(format!("weights of another network: {wrong}"));
        }
        self.check_made(dict)?;
        let mut failed = None;
        let module = params::replace(
            module,
            &mut |name, shape| match self.values(&pairs[name], shape, dict) {
                Ok(values) => Some(values),
                Err(why) => {
                    failed.get_or_insert(why);
                    None
                }
            },
            device,
        );
        match failed {
            None => Ok(module),
            Some(why) => Err(why),
        }
    }

    /// The tensors of `module` as they have them, by name.
    ///
    /// # Errors
    /// In words: a network that is not of this table's family.
    pub(super) fn send<M: Module>(&self, module: &M) -> Result<BTreeMap<String, Theirs>, String> {
        let ours = shapes(module);
        let mut found = BTreeMap::new();
        for HostTensor {
            name,
            shape,
            values,
        } in params::collect(module)
        {
            let pair = self.pair(&name, &ours)?;
            if let Some(counter) = pair.counter.clone() {
                found.insert(counter, Theirs::Counter);
            }
            let there = self.shape_there(&pair, &shape);
            let whole = pair.change.send(&values, &shape);
            let size: usize = there.iter().product();
            for (i, theirs) in pair.theirs.iter().enumerate() {
                // Side by side here is one after the other there, once transposed.
                let first = if pair.copies { 0 } else { i * size };
                let values = whole[first..first + size].to_vec();
                found.insert(theirs.clone(), Theirs::Floats(there.clone(), values));
            }
        }
        for row in self.rows {
            if let Row::Made(name, made) = row
                && let Some((shape, values)) = self.made(*made)
            {
                found.insert((*name).to_owned(), Theirs::Floats(shape, values));
            }
        }
        Ok(found)
    }

    /// The numbers of one tensor of ours.
    fn values(&self, pair: &Pair, shape: &[usize], dict: &StateDict) -> Result<Vec<f32>, String> {
        let read = |name: &String| {
            let what = || format!("{name} holds whole numbers, not weights");
            dict.values(name).ok_or_else(what)
        };
        let first = read(&pair.theirs[0])?;
        if pair.copies {
            for other in &pair.theirs[1..] {
                let same = read(other)?
                    .iter()
                    .zip(&first)
                    .all(|(a, b)| a.to_bits() == b.to_bits());
                if !same {
                    return Err(format!(
                        "{other} differs from {}: this network has one of the two, so that they must be the same",
                        pair.theirs[0]
                    ));
                }
            }
            return Ok(pair.change.bring(first, shape));
        }
        let mut whole = first;
        for other in &pair.theirs[1..] {
            whole.extend(read(other)?);
        }
        Ok(pair.change.bring(whole, shape))
    }

    /// The shape of each of theirs.
    fn shape_there(&self, pair: &Pair, shape: &[usize]) -> Vec<usize> {
        let mut there = pair.change.theirs(shape, self.facts.channels);
        if !pair.copies && pair.theirs.len() > 1 {
            there[0] /= pair.theirs.len();
        }
        there
    }

    fn pair(&self, name: &str, ours: &[(String, Vec<usize>)]) -> Result<Pair, String> {
        for line in &self.lines {
            for (here, there, change) in line.layer.tensors() {
                let Some(numbers) = captures(&format!("{}{here}", line.ours), name) else {
                    continue;
                };
                let at = |pattern: &str| filled(&format!("{pattern}{there}"), &numbers);
                let theirs = match line.list {
                    None => line.theirs.iter().map(|t| at(t)).collect(),
                    Some(list) => {
                        let copy = |k: usize| at(&line.theirs[0].replace('*', &k.to_string()));
                        (0..length(list, ours)).map(copy).collect()
                    }
                };
                let counts = line.layer == Layer::BatchNorm && *here == ".gamma";
                let counter =
                    || filled(&format!("{}.num_batches_tracked", line.theirs[0]), &numbers);
                return Ok(Pair {
                    theirs,
                    change: match change {
                        Change::Null if self.facts.null => Change::Same,
                        change => *change,
                    },
                    copies: line.list.is_some(),
                    counter: counts.then(counter),
                });
            }
        }
        Err(format!(
            "the network has {name}, which no network of this family has"
        ))
    }

    fn made(&self, made: Made) -> Option<(Vec<usize>, Vec<f32>)> {
        let Made::Positions = made;
        let (width, grid) = self.facts.positions?;
        let Positions::Fixed(values) = Positions::fixed(width, grid, &Device::flex()) else {
            return None;
        };
        let values = values.into_data().try_to_vec::<f32>().ok()?;
        Some((vec![1, grid[0] * grid[1], width], values))
    }

    /// Refuses tensors that should follow from a formula and do not.
    fn check_made(&self, dict: &StateDict) -> Result<(), String> {
        for row in self.rows {
            let Row::Made(name, made) = row else { continue };
            let (Some(found), Some(shape), Some((expected, values))) =
                (dict.values(name), dict.shape(name), self.made(*made))
            else {
                continue;
            };
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5;
            if shape != expected || !found.iter().zip(&values).all(near) {
                return Err(format!(
                    "{name} is not the usual table of fixed positions of shape {expected:?} (found {shape:?}); a network \
                     with others is not supported"
                ));
            }
        }
        Ok(())
    }
}

/// How many items the list `list` of ours has.
fn length(list: &str, ours: &[(String, Vec<usize>)]) -> usize {
    let of = |(name, _): &(String, Vec<usize>)| -> Option<usize> {
        let rest = name.strip_prefix(list)?.strip_prefix('.')?;
        rest.split('.').next()?.parse().ok()
    };
    ours.iter().filter_map(of).max().map_or(0, |last| last + 1)
}

/// Names and shapes of a module's parameters, in the order of its fields.
fn shapes<M: Module>(module: &M) -> Vec<(String, Vec<usize>)> {
    #[derive(Default)]
    struct Shapes(Path, Vec<(String, Vec<usize>)>);
    impl ModuleVisitor for Shapes {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.0.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.0.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.push((self.0.name(), param.val().dims().to_vec()));
        }
    }
    let mut shapes = Shapes::default();
    module.visit(&mut shapes);
    shapes.1
}
