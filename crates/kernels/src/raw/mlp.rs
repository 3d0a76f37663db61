//! A whole multi-layer perceptron in one pass: blocks of rows go through all layers while they are in cache.
//!
//! h₁ = x W₁ + b₁, aₗ = silu(hₗ), hₗ₊₁ = aₗ Wₗ₊₁ + bₗ₊₁, y = h_L. Within a block every activation lies in panels,
//! `[panel][row][lane]`, so that it serves the micro-kernel as rows of one product and as the panel of another
//! without being packed again.

use super::exp::{silu, silu_slope};
use super::gemm::{Product, Terms};
use super::level::multiversion;
use super::pack::{Panel, copy_lanes, pack_columns, pack_rows};
use super::scratch::{Shared, unfilled, with_space};
use super::{Level, tile};
use rayon::prelude::*;

/// Multiply-adds that are not worth a second thread.
const SMALL: usize = 1 << 18;

/// Rows per block, at most.
const ROWS: usize = 96;

/// One layer: `weight: [k, n]`, `bias: [n]`.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a> {
    pub(crate) weight: &'a [f32],
    pub(crate) bias: &'a [f32],
}

/// How the features of one activation are cut into panels of equal width.
struct Lanes {
    /// Features.
    n: usize,
    /// Lanes of a panel.
    width: usize,
    panels: Vec<Panel>,
    /// Where feature f of row 0 lies.
    places: Vec<u32>,
    /// Where feature 0 of row r lies.
    starts: Vec<u32>,
    /// `places` and `starts` as the terms of a sum.
    by_feature: Terms,
    by_row: Terms,
    /// `starts` of the last block.
    by_rest: Terms,
}

impl Lanes {
    fn new(n: usize, width: usize, padded: bool, rows: usize, block: usize) -> Self {
        let panels: Vec<Panel> = (0..n)
            .step_by(width)
            .map(|start| Panel {
                start,
                lanes: width.min(n - start),
                width,
            })
            .collect();
        let stride = if padded { width } else { n };
        let place = |f: usize| {
            if padded {
                f / width * block * width + f % width
            } else {
                f
            }
        };
        let places: Vec<u32> = (0..n).map(|f| place(f) as u32).collect();
        let starts: Vec<u32> = (0..block).map(|r| (r * stride) as u32).collect();
        let rest = (rows - 1) % block + 1;
        Self {
            n,
            width,
            panels,
            by_feature: Terms::new(places.clone()),
            by_row: Terms::new(starts.clone()),
            by_rest: Terms::new(starts[..rest].to_vec()),
            places,
            starts,
        }
    }

    /// Values that `rows` rows take.
    fn size(&self, rows: usize) -> usize {
        self.panels.len() * self.width * rows
    }

    /// The terms of a sum over the first `rows` rows, which are those of a block or of the last one.
    fn rows(&self, rows: usize) -> &Terms {
        if rows == self.starts.len() {
            &self.by_row
        } else {
            &self.by_rest
        }
    }
}

/// The sizes of a perceptron and how its work is cut; a function of the sizes alone, so that bits are too.
pub(crate) struct Plan {
    level: Level,
    rows: usize,
    block: usize,
    /// Of the input (in its own row-major order) and of every layer's output.
    lanes: Vec<Lanes>,
    /// Values of one block's tape.
    tape: usize,
}

impl Plan {
    /// For `rows` rows and the widths of the input and of every layer's output.
    pub(crate) fn new(level: Level, rows: usize, widths: &[usize]) -> Self {
        // A multiple of four blocks, all of nearly the same size, and whole tiles of six rows.
        let blocks = if rows > ROWS {
            rows.div_ceil(ROWS).next_multiple_of(4)
        } else {
            1
        };
        let block = rows.div_ceil(blocks).next_multiple_of(6).min(rows);
        let [wide, narrow] = [0, 1].map(|i| tile::widths(level)[i]);
        let lanes: Vec<Lanes> = widths
            .iter()
            .enumerate()
            .map(|(l, &n)| {
                let width = if n > narrow { wide } else { narrow };
                Lanes::new(n, width, l > 0, rows, block)
            })
            .collect();
        let hidden = &lanes[1..lanes.len() - 1];
        let tape = hidden.iter().map(|l| 2 * l.size(block)).sum();
        Self {
            level,
            rows,
            block,
            lanes,
            tape,
        }
    }

    /// Values that [`forward`] keeps for [`backward`].
    pub(crate) fn tape_len(&self) -> usize {
        self.blocks() * self.tape
    }

    fn blocks(&self) -> usize {
        self.rows.div_ceil(self.block)
    }

    fn layers(&self) -> usize {
        self.lanes.len() - 1
    }

    fn small(&self) -> bool {
        let weights: usize = self.lanes.windows(2).map(|l| l[0].n * l[1].n).sum();
        self.rows * weights < SMALL
    }

    /// The first row of a block and how many it has.
    fn rows_of(&self, block: usize) -> (usize, usize) {
        let first = block * self.block;
        (first, self.block.min(self.rows - first))
    }
}

multiversion! {
    /// h ⟵ silu(h).
    fn activate<const FMA>(h: &mut [f32]) {
        for h in h {
            *h = silu::<FMA>(*h);
        }
    }
}
multiversion! {
    /// h ⟵ silu(h), slope ⟵ silu′(h).
    fn activate_with_slope<const FMA>(h: &mut [f32], slope: &mut [f32]) {
        for (h, slope) in h.iter_mut().zip(slope) {
            let v = *h;
            *h = silu::<FMA>(v);
            *slope = silu_slope::<FMA>(v);
        }
    }
}
multiversion! {
    fn multiply<const FMA>(x: &mut [f32], by: &[f32]) {
        for (x, by) in x.iter_mut().zip(by) {
            *x *= by;
        }
    }
}
multiversion! {
    fn accumulate<const FMA>(sum: &mut [f32], x: &[f32]) {
        for (sum, x) in sum.iter_mut().zip(x) {
            *sum += x;
        }
    }
}

/// An activation of one block and how it lies.
type In<'a> = (&'a Lanes, &'a [f32]);
type Out<'a> = (&'a Lanes, &'a mut [f32]);

/// The sums over the features of `from` with packed weights, plus the bias.
fn product(
    plan: &Plan,
    rows: usize,
    (from, a): In<'_>,
    packed: &[f32],
    bias: Option<&[f32]>,
    (to, out): Out<'_>,
) {
    let width = to.width;
    for p in &to.panels {
        let out = &mut out[p.start * plan.block..][..rows * width];
        if let Some(bias) = bias {
            let mut row = [0.0; 32];
            row[..p.lanes].copy_from_slice(&bias[p.start..p.start + p.lanes]);
            for out in out.chunks_exact_mut(width) {
                copy_lanes(out, &row[..width]);
            }
        }
        let product = Product {
            level: plan.level,
            a,
            rows: &from.starts[..rows],
            terms: &from.by_feature,
            b: &packed[p.start * from.n..][..from.n * width],
            width,
            ldc: width,
            add: bias.is_some(),
        };
        product.run(out);
    }
}

/// Panels to rows `[rows, n]`.
fn unpack(plan: &Plan, from: &Lanes, panels: &[f32], out: &mut [f32]) {
    for p in &from.panels {
        let rows = panels[p.start * plan.block..].chunks_exact(p.width);
        for (out, row) in out.chunks_exact_mut(from.n).zip(rows) {
            out[p.start..p.start + p.lanes].copy_from_slice(&row[..p.lanes]);
        }
    }
}

/// Rows `[rows, n]` to panels whose spare lanes are zero.
fn pack(plan: &Plan, to: &Lanes, rows: &[f32], out: &mut [f32]) {
    for p in &to.panels {
        let panel = out[p.start * plan.block..].chunks_exact_mut(p.width);
        for (row, out) in rows.chunks_exact(to.n).zip(panel) {
            out[..p.lanes].copy_from_slice(&row[p.start..p.start + p.lanes]);
            out[p.lanes..].fill(0.0);
        }
    }
}

/// `x: [rows, in]` to `[rows, out]`. `tape`, if given, must have [`Plan::tape_len`] values.
///
/// Each row is its own sum: its bits do not depend on the rows beside it, and are those of the layers done one by one.
pub(crate) fn forward(
    plan: &Plan,
    x: &[f32],
    layers: &[Layer<'_>],
    tape: Option<&mut [f32]>,
) -> Vec<f32> {
    let packed: Vec<Vec<f32>> = layers
        .iter()
        .zip(plan.lanes.windows(2))
        .map(|(layer, l)| pack_columns(layer.weight, l[1].n, l[0].n, &l[1].panels))
        .collect();
    let (inputs, last) = (plan.lanes[0].n, &plan.lanes[plan.layers()]);
    let mut y = unfilled(plan.rows * last.n);
    let tape = tape.map(Shared::new);
    let tape = tape.as_ref();
    // Without a tape the hidden layers live in working space, in the same places.
    let space = last.size(plan.block) + if tape.is_some() { 0 } else { plan.tape };
    let one = |(block, y): (usize, &mut [f32])| {
        let (first, rows) = plan.rows_of(block);
        with_space(space, |space| {
            let (out, space) = space.split_at_mut(last.size(plan.block));
            let mut slots = match tape {
                // SAFETY: one task per block.
                Some(tape) => unsafe { tape.part(block * plan.tape, plan.tape) },
                None => space,
            };
            let mut a = &x[first * inputs..][..rows * inputs];
            for (l, layer) in layers.iter().enumerate() {
                let (from, to) = (&plan.lanes[l], &plan.lanes[l + 1]);
                if l + 1 == plan.layers() {
                    product(
                        plan,
                        rows,
                        (from, a),
                        &packed[l],
                        Some(layer.bias),
                        (to, out),
                    );
                    break;
                }
                let size = to.size(plan.block);
                let (h, rest) = std::mem::take(&mut slots).split_at_mut(size);
                let (slope, rest) = rest.split_at_mut(size);
                slots = rest;
                product(plan, rows, (from, a), &packed[l], Some(layer.bias), (to, h));
                for p in &to.panels {
                    let part = p.start * plan.block..p.start * plan.block + rows * p.width;
                    match tape {
                        Some(_) => {
                            activate_with_slope(plan.level, &mut h[part.clone()], &mut slope[part])
                        }
                        None => activate(plan.level, &mut h[part]),
                    }
                }
                a = h;
            }
            unpack(plan, last, out, y);
        });
    };
    let values = plan.block * last.n;
    if plan.small() {
        y.chunks_mut(values).enumerate().for_each(one);
    } else {
        y.par_chunks_mut(values).enumerate().for_each(one);
    }
    y
}

/// The gradients of a perceptron, as far as asked for: at x, then W₁, b₁, W₂, …
pub(crate) struct Grads {
    pub(crate) x: Option<Vec<f32>>,
    pub(crate) layers: Vec<(Vec<f32>, Vec<f32>)>,
}

/// Partial sums of the weights' gradients: as many as there are blocks while they are small, else at most this many.
const PARTS: usize = 8;

/// Weights up to which every block may keep a sum of its own.
const LIGHT: usize = 1 << 16;

/// The gradients under `dy: [rows, out]`, from the tape that [`forward`] wrote; at x and at the layers where asked for.
///
/// Sums over rows go over fixed parts of the rows, in their order.
pub(crate) fn backward(
    plan: &Plan,
    x: &[f32],
    layers: &[Layer<'_>],
    tape: &[f32],
    dy: &[f32],
    [wants_x, wants_layers]: [bool; 2],
) -> Grads {
    let depth = plan.layers();
    let inputs = plan.lanes[0].n;
    let outputs = plan.lanes[depth].n;
    // The input's gradient lies in panels until it is unpacked.
    let input = Lanes::new(inputs, plan.lanes[0].width, true, plan.rows, plan.block);
    let below = |l: usize| if l == 0 { &input } else { &plan.lanes[l] };
    let packed: Vec<Vec<f32>> = (0..depth)
        .map(|l| match l {
            0 if !wants_x => Vec::new(),
            _ => pack_rows(
                plan.level,
                layers[l].weight,
                plan.lanes[l + 1].n,
                &below(l).panels,
            ),
        })
        .collect();
    // Where the sums of a layer begin: its bias, then its weight, in panels `[panel][feature of x][lane]`.
    let mut places = vec![0];
    for l in plan.lanes.windows(2) {
        places.push(places[places.len() - 1] + l[1].size(1) * (1 + l[0].n));
    }
    let size = places[depth];
    let mut tapes = vec![0];
    for l in &plan.lanes[1..depth] {
        tapes.push(tapes[tapes.len() - 1] + 2 * l.size(plan.block));
    }

    let most = if size <= LIGHT { usize::MAX } else { PARTS };
    let each = plan.blocks().div_ceil(most.min(plan.blocks()));
    let parts = plan.blocks().div_ceil(each);
    let mut sums = unfilled(parts * size);
    let mut dx = wants_x.then(|| unfilled(plan.rows * inputs));
    let shared_dx = dx.as_deref_mut().map(Shared::new);
    let widest = (0..=depth)
        .map(|l| below(l).size(plan.block))
        .max()
        .unwrap_or(0);

    let one = |(part, sums): (usize, &mut [f32])| {
        with_space(2 * widest, |space| {
            let (mut dh, mut da) = space.split_at_mut(widest);
            for block in part * each..plan.blocks().min((part + 1) * each) {
                let (first, rows) = plan.rows_of(block);
                let tape = &tape[block * plan.tape..][..plan.tape];
                let add = block > part * each;
                pack(
                    plan,
                    &plan.lanes[depth],
                    &dy[first * outputs..][..rows * outputs],
                    dh,
                );
                for l in (0..depth).rev() {
                    let (from, to) = (&plan.lanes[l], &plan.lanes[l + 1]);
                    let (db, dw) = sums[places[l]..places[l + 1]].split_at_mut(to.size(1));
                    let a = match l {
                        0 => &x[first * inputs..][..rows * inputs],
                        _ => &tape[tapes[l - 1]..][..from.size(plan.block)],
                    };
                    for p in to.panels.iter().filter(|_| wants_layers) {
                        let dh = &dh[p.start * plan.block..][..rows * p.width];
                        sum_rows(plan.level, dh, p.width, add, &mut db[p.start..][..p.width]);
                        let product = Product {
                            level: plan.level,
                            a,
                            rows: &from.places,
                            terms: from.rows(rows),
                            b: dh,
                            width: p.width,
                            ldc: p.width,
                            add,
                        };
                        product.run(&mut dw[p.start * from.n..]);
                    }
                    if l == 0 && !wants_x {
                        continue;
                    }
                    product(plan, rows, (to, dh), &packed[l], None, (below(l), da));
                    if l > 0 {
                        let slope =
                            &tape[tapes[l - 1] + from.size(plan.block)..][..from.size(plan.block)];
                        for p in &from.panels {
                            let part = p.start * plan.block..p.start * plan.block + rows * p.width;
                            multiply(plan.level, &mut da[part.clone()], &slope[part]);
                        }
                    }
                    (dh, da) = (da, dh);
                }
                if let Some(dx) = &shared_dx {
                    // SAFETY: every block belongs to one part.
                    unpack(plan, &input, dh, unsafe {
                        dx.part(first * inputs, rows * inputs)
                    });
                }
            }
        });
    };
    if plan.small() {
        sums.chunks_mut(size).enumerate().for_each(one);
    } else {
        sums.par_chunks_mut(size).enumerate().for_each(one);
    }

    if !wants_layers {
        let layers = Vec::new();
        return Grads { x: dx, layers };
    }
    let (total, rest) = sums.split_at_mut(size);
    let add_up = |(at, total): (usize, &mut [f32])| {
        for part in rest.chunks_exact(size) {
            accumulate(plan.level, total, &part[at * CHUNK..][..total.len()]);
        }
    };
    if parts * size < SMALL {
        total.chunks_mut(CHUNK).enumerate().for_each(add_up);
    } else {
        total.par_chunks_mut(CHUNK).enumerate().for_each(add_up);
    }
    let layers = (0..depth)
        .map(|l| {
            let (k, to) = (plan.lanes[l].n, &plan.lanes[l + 1]);
            let (db, sums) = total[places[l]..places[l + 1]].split_at(to.size(1));
            let mut dw = unfilled(k * to.n);
            for p in &to.panels {
                let rows = sums[p.start * k..].chunks_exact(p.width);
                for (dw, row) in dw.chunks_exact_mut(to.n).zip(rows) {
                    dw[p.start..p.start + p.lanes].copy_from_slice(&row[..p.lanes]);
                }
            }
            (dw, db[..to.n].to_vec())
        })
        .collect();
    Grads { x: dx, layers }
}

/// Values per task of the final addition.
const CHUNK: usize = 1 << 13;

multiversion! {
    /// The sum of rows of `width` lanes, in their order; added to `sum` or put there.
    fn sum_rows<const FMA>(rows: &[f32], width: usize, add: bool, sum: &mut [f32]) {
        /// The widest panel of any level.
        const MOST: usize = 32;
        let mut total = [0.0f32; MOST];
        // Eight lanes at a time, so that the sums stay in a register.
        for at in (0..width).step_by(8) {
            let mut lanes = [0.0f32; 8];
            for row in rows.chunks_exact(width) {
                for (lane, v) in lanes.iter_mut().zip(&row[at..at + 8]) {
                    *lane += v;
                }
            }
            total[at..at + 8].copy_from_slice(&lanes);
        }
        for (sum, v) in sum.iter_mut().zip(total) {
            *sum = if add { *sum + v } else { v };
        }
    }
}

#[cfg(test)]
mod tests;
