//! Tables of names: which tensor of ours is which of theirs. A table is data, and there is one for each family.

/// A row of a family's table. In names `#` stands for a number, the same ones on both sides in this order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row {
    /// A layer that both have.
    Layer(&'static str, &'static str, Layer),
    /// The linear map to q, k and v side by side, which are three there.
    Fused(&'static str, [&'static str; 3]),
    /// A layer that they have once in every item of this list of ours, at `*`, always the same.
    Repeated(&'static str, &'static str, Layer, &'static str),
    /// Rows with names that all begin like this.
    Part(&'static str, &'static str, &'static [Row]),
    /// A tensor that only they have, which follows from a formula.
    Made(&'static str, Made),
    /// A tensor that only some of theirs have. It is not read, and not written.
    LeftOut(&'static str),
}

/// A layer of ours by its name's pattern, and what it is there.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) ours: String,
    /// One, or three that stand side by side.
    pub(super) theirs: Vec<String>,
    pub(super) layer: Layer,
    /// The list of ours in whose every item they have it.
    pub(super) list: Option<&'static str>,
}

/// The lines of rows, parts written out.
pub(super) fn lines(rows: &[Row], ours: &str, theirs: &str, out: &mut Vec<Line>) {
    for row in rows {
        let (name, names, layer, list) = match *row {
            Row::Layer(a, b, layer) => (a, vec![b], layer, None),
            Row::Fused(a, three) => (a, three.to_vec(), Layer::Linear, None),
            Row::Repeated(a, b, layer, list) => (a, vec![b], layer, Some(list)),
            Row::Part(a, b, rows) => {
                lines(rows, &format!("{ours}{a}"), &format!("{theirs}{b}"), out);
                continue;
            }
            Row::Made(..) | Row::LeftOut(_) => continue,
        };
        out.push(Line {
            ours: format!("{ours}{name}"),
            theirs: names.iter().map(|n| format!("{theirs}{n}")).collect(),
            layer,
            list,
        });
    }
}

/// A tensor that follows from a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// The fixed positions of a DiT, `[1, tokens, width]`.
    Positions,
}

/// The tensors of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// `[in, out]` here, `[out, in]` there, and a bias.
    Linear,
    /// The same on both sides.
    Conv,
    /// A convolution of kernel and stride p there, a linear map of flattened patches here.
    Patches,
    /// `gamma`, `beta` here, `weight`, `bias` there.
    Norm,
    /// The same with running statistics, and a counter there.
    BatchNorm,
    /// A single tensor, `….weight` there.
    Embedding,
    /// The same, whose last row, for ∅, they may not have.
    Classes,
    /// A single tensor.
    Tensor,
    /// A single tensor, of shape `[…]` here and `[1, …]` there.
    Batched,
}

/// What is done to a tensor's numbers or shape on the way in; on the way out its inverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Same,
    Transpose,
    /// `[w, c, p, p]` → `[c·p·p, w]`.
    Patch,
    /// `[1, …]` → `[…]`.
    Lead,
    /// A row of zeros is added.
    Null,
}

impl Layer {
    /// Suffixes here and there, and the change.
    pub(super) fn tensors(self) -> &'static [(&'static str, &'static str, Change)] {
        use Change::{Lead, Null, Patch, Same, Transpose};
        match self {
            Self::Linear => &[(".weight", ".weight", Transpose), (".bias", ".bias", Same)],
            Self::Conv => &[(".weight", ".weight", Same), (".bias", ".bias", Same)],
            Self::Patches => &[(".weight", ".weight", Patch), (".bias", ".bias", Same)],
            Self::Norm => &[(".gamma", ".weight", Same), (".beta", ".bias", Same)],
            Self::BatchNorm => &[
                (".gamma", ".weight", Same),
                (".beta", ".bias", Same),
                (".running_mean", ".running_mean", Same),
                (".running_var", ".running_var", Same),
            ],
            Self::Embedding => &[("", ".weight", Same)],
            Self::Classes => &[("", ".weight", Null)],
            Self::Tensor => &[("", "", Same)],
            Self::Batched => &[("", "", Lead)],
        }
    }
}

impl Change {
    /// The shape there of a tensor of this shape here; `channels` are those of an image.
    pub(super) fn theirs(self, shape: &[usize], channels: usize) -> Vec<usize> {
        match (self, shape) {
            (Self::Transpose, [i, o]) => vec![*o, *i],
            (Self::Patch, [pixels, w]) => {
                let p = (pixels / channels.max(1)).isqrt();
                vec![*w, channels, p, p]
            }
            (Self::Lead, shape) => [&[1], shape].concat(),
            (Self::Null, [n, width]) => vec![n - 1, *width],
            (_, shape) => shape.to_vec(),
        }
    }

    /// The numbers here of those there; `shape` is the shape here.
    pub(super) fn bring(self, values: Vec<f32>, shape: &[usize]) -> Vec<f32> {
        match (self, shape) {
            (Self::Transpose | Self::Patch, [i, o]) => transposed(&values, *o, *i),
            (Self::Null, [n, width]) => {
                let mut values = values;
                values.resize(n * width, 0.0);
                values
            }
            _ => values,
        }
    }

    /// The numbers there of those here; `shape` is the shape here.
    pub(super) fn send(self, values: &[f32], shape: &[usize]) -> Vec<f32> {
        match (self, shape) {
            (Self::Transpose | Self::Patch, [i, o]) => transposed(values, *i, *o),
            (Self::Null, [n, width]) => values[..(n - 1) * width].to_vec(),
            _ => values.to_vec(),
        }
    }
}

/// `[rows, columns]` → `[columns, rows]`.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let column = |c: usize| (0..rows).map(move |r| values[r * columns + c]);
    (0..columns).flat_map(column).collect()
}

/// The numbers of `name` at the `#` of `pattern`, where it fits.
pub(super) fn captures(pattern: &str, name: &str) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    let mut pieces = pattern.split(['#', '*']);
    let mut rest = name.strip_prefix(pieces.next()?)?;
    for piece in pieces {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        found.push(rest[..digits].parse().ok()?);
        rest = rest[digits..].strip_prefix(piece)?;
    }
    rest.is_empty().then_some(found)
}

/// `pattern` with these numbers at its `#`.
pub(super) fn filled(pattern: &str, numbers: &[usize]) -> String {
    let mut numbers = numbers.iter();
    let pieces = pattern.split('#').map(str::to_owned);
    let join = |a: String, b: String| {
        let n = numbers.next().copied().unwrap_or_default();
        format!("{a}{n}{b}")
    };
    pieces.reduce(join).unwrap_or_default()
}
