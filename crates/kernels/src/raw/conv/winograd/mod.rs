//! 3×3 convolutions of stride one by Winograd's minimal filtering F(4×4, 3×3): 36 products for 16 outputs instead of 144.
//!
//! Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A for every 6×6 tile d of the input and 3×3 filter g (Winograd 1980; Lavin and Gray
//! 2016, arXiv:1509.09308). The elementwise products, summed over the input channels, are 36 matrix products over all
//! tiles. The gradient with respect to the input is the same convolution with turned filters; that with respect to the
//! filter is the same form read the other way: dg = Gᵀ [ (A dY Aᵀ) ⊙ (Bᵀ d B) ] G, summed over the tiles.
//!
//! The interpolation points 0, ±5/8, ±3/2, ∞ are dyadic, so that the transforms of data have exact coefficients, and
//! give half of the rounding error of the usual 0, ±1, ±2, ∞ (8e-7 against 1.8e-6 of the root mean square at 64
//! channels; the direct sum has 4e-7). A tile's sums are its own: its bits do not depend on the tiles beside it. But all
//! of its inputs meet in its sums: a value that is not finite spoils every tile that sees it, not only its neighbours.

mod forward;
mod grad_weight;
mod transform;

pub(crate) use forward::{forward, grad_input};
pub(crate) use grad_weight::grad_weight;

use super::Geometry;
use crate::raw::Level;
use crate::raw::scratch::Shared;
use crate::raw::transpose::rows_to_panel;

/// Outputs a side of a tile.
const OUT: usize = 4;

/// Inputs a side of a tile.
const IN: usize = 6;

/// Products of a tile.
const POINTS: usize = IN * IN;

/// Lanes that the transforms work on.
const LANES: usize = 8;

/// Channels below which the direct form wins.
const FEWEST: usize = 16;

/// Whether this form is the faster one: 36 products a tile, and as much again for transforms as counts at few channels.
pub(crate) fn suits(g: &Geometry) -> bool {
    let tiles = g.oh.div_ceil(OUT) * g.ow.div_ceil(OUT);
    (g.kh, g.kw, g.s) == (3, 3, 1)
        && g.p <= 2
        && g.ci.min(g.co) >= FEWEST
        && 3 * POINTS * tiles <= 2 * 9 * g.oh * g.ow
}

/// How the outputs of one image are cut into tiles.
#[derive(Clone, Copy)]
struct Tiles {
    /// Tiles in a row.
    across: usize,
    /// Rows of tiles.
    down: usize,
}

impl Tiles {
    fn new(g: &Geometry) -> Self {
        Self {
            across: g.ow.div_ceil(OUT),
            down: g.oh.div_ceil(OUT),
        }
    }
}

/// Some rows of tiles of one image.
#[derive(Clone, Copy)]
struct Strip {
    image: usize,
    /// The first row of tiles and the one after the last.
    rows: [usize; 2],
    /// How many tiles of the task come before.
    before: usize,
}

impl Strip {
    /// The number of each tile in its task, and its row and column in its image.
    fn tiles(self, t: Tiles) -> impl Iterator<Item = (usize, [usize; 2])> {
        (self.rows[0]..self.rows[1])
            .flat_map(move |i| (0..t.across).map(move |j| [i, j]))
            .enumerate()
            .map(move |(n, tile)| (self.before + n, tile))
    }
}

/// The strips of the rows of tiles `first .. last`, counted through all images.
fn strips(t: Tiles, first: usize, last: usize) -> impl Iterator<Item = Strip> {
    (first / t.down..last.div_ceil(t.down)).map(move |image| {
        let start = image * t.down;
        let rows = [first.max(start) - start, last.min(start + t.down) - start];
        let before = (start + rows[0] - first) * t.across;
        Strip {
            image,
            rows,
            before,
        }
    })
}

/// Pixels of some rows of an image, channels side by side, after one pixel of zeros: `[1 + pixels][channels]`.
struct Pixels<'a> {
    values: &'a [f32],
    /// Channels with the padding, a multiple of [`LANES`].
    channels: usize,
    /// The first row that is there and the one after the last.
    rows: [usize; 2],
    width: usize,
}

impl<'a> Pixels<'a> {
    /// Values that `rows` rows of `width` pixels take.
    fn size(rows: usize, width: usize, channels: usize) -> usize {
        (1 + rows * width) * channels
    }

    /// The rows `rows` of an image `[channels][height][width]`, with zeros for channels up to `padded`.
    fn of(
        level: Level,
        image: &[f32],
        [channels, height, width]: [usize; 3],
        rows: [usize; 2],
        padded: usize,
        space: &'a mut [f32],
    ) -> Self {
        let pixels = (rows[1] - rows[0]) * width;
        let (zeros, out) = space.split_at_mut(padded);
        zeros.fill(0.0);
        if pixels > 0 {
            let from = &image[rows[0] * width..];
            rows_to_panel(
                level,
                from,
                height * width,
                channels,
                pixels,
                padded,
                &mut out[..pixels * padded],
            );
        }
        Self {
            values: &space[..Self::size(rows[1] - rows[0], width, padded)],
            channels: padded,
            rows,
            width,
        }
    }

    /// Where the pixels of the square of `N` a side at (`top`, `left`) lie; those outside are the pixel of zeros.
    fn square<const N: usize>(&self, top: isize, left: isize) -> [[u32; N]; N] {
        std::array::from_fn(|i| {
            let y = top + i as isize;
            let inside = y >= self.rows[0] as isize && y < self.rows[1] as isize;
            std::array::from_fn(|j| {
                let x = left + j as isize;
                if !inside || x < 0 || x >= self.width as isize {
                    return 0;
                }
                let pixel = (y as usize - self.rows[0]) * self.width + x as usize;
                ((1 + pixel) * self.channels) as u32
            })
        })
    }
}

/// Where the transform of one tile goes: value k of channel c to `at + k · apart`, and `chunk` channels side by side
/// every `stride` values.
#[derive(Clone, Copy)]
struct Cells<'a> {
    out: &'a Shared<'a>,
    at: usize,
    apart: usize,
    chunk: usize,
    stride: usize,
}

impl<'a> Cells<'a> {
    /// `chunks` is how many channels lie side by side, and how far the next ones are.
    ///
    /// # Safety
    /// Nobody else may write this tile while the cells are used.
    unsafe fn new(
        out: &'a Shared<'a>,
        at: usize,
        apart: usize,
        [chunk, stride]: [usize; 2],
    ) -> Self {
        Self {
            out,
            at,
            apart,
            chunk,
            stride,
        }
    }

    /// Writes value k of the eight channels that begin at `place`.
    #[inline(always)]
    fn put(&self, place: usize, k: usize, v: [f32; LANES]) {
        // SAFETY: the contract of `new`.
        unsafe { self.out.part(self.at + k * self.apart + place, LANES) }.copy_from_slice(&v);
    }

    /// The places of eight channels after eight.
    #[inline(always)]
    fn places(&self, channels: usize) -> impl Iterator<Item = (usize, usize)> {
        let (mut block, mut within) = (0, 0);
        (0..channels).step_by(LANES).map(move |c| {
            if within == self.chunk {
                (block, within) = (block + self.stride, 0);
            }
            let place = block + within;
            within += LANES;
            (c, place)
        })
    }
}

/// The distance between the values of two points of the transform: never a multiple of a page, so that the 36 places
/// that a tile writes do not fall on one set of the cache.
fn apart(values: usize) -> usize {
    values.next_multiple_of(1024) + 16
}
