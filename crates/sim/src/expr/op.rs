//! The operations that expressions are compiled to.

use crate::lane::Lane;

/// An operation on lane values. In `…By` a number of the program is the second operand, in `…From`
/// it is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Op {
    Number,
    Copy,
    Neg,
    Abs,
    Sqrt,
    Floor,
    Exp,
    Ln,
    Sin,
    Cos,
    Tanh,
    Atan,
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
    Pow,
    AddBy,
    SubBy,
    MulBy,
    DivBy,
    SubFrom,
    DivFrom,
    MinFrom,
    MaxFrom,
    /// a·b + c, and so on, each operation rounded: see `fuse`.
    MulAdd,
    MulSub,
    /// c − a·b.
    SubMul,
    MulMul,
    AddThenMul,
    SubThenMul,
    /// a·number + b.
    MulByAdd,
    MulBySub,
    /// b − a·number.
    SubMulBy,
    MulByMul,
    /// (a + number)·b.
    AddByThenMul,
    SubByThenMul,
    SubFromThenMul,
    /// (a + b)·number.
    AddThenMulBy,
    SubThenMulBy,
    MulThenMulBy,
    /// c where a < b, else d.
    Less,
    /// c where a ≤ b, else d.
    LessEqual,
}

impl Op {
    /// How many operands it takes, its number not among them.
    pub(super) fn operands(self) -> usize {
        match self {
            Op::Number => 0,
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Min | Op::Max | Op::Pow => 2,
            Op::MulByAdd | Op::MulBySub | Op::SubMulBy | Op::MulByMul => 2,
            Op::AddByThenMul | Op::SubByThenMul | Op::SubFromThenMul => 2,
            Op::AddThenMulBy | Op::SubThenMulBy | Op::MulThenMulBy => 2,
            Op::MulAdd | Op::MulSub | Op::SubMul => 3,
            Op::MulMul | Op::AddThenMul | Op::SubThenMul => 3,
            Op::Less | Op::LessEqual => 4,
            _ => 1,
        }
    }

    /// Does the operation. `operand` gives operand i.
    #[inline(always)]
    pub(super) fn apply<L: Lane>(self, operand: impl Fn(usize) -> L, number: f64) -> L {
        let a = || operand(0);
        let b = || operand(1);
        let c = || operand(2);
        match self {
            Op::Number => L::splat(number),
            Op::Copy => a(),
            Op::Neg => -a(),
            Op::Abs => a().abs(),
            Op::Sqrt => a().sqrt(),
            Op::Floor => a().floor(),
            Op::Exp => a().exp(),
            Op::Ln => a().ln(),
            Op::Sin => a().sin(),
            Op::Cos => a().cos(),
            Op::Tanh => a().tanh(),
            Op::Atan => a().atan(),
            Op::Add => a() + b(),
            Op::Sub => a() - b(),
            Op::Mul => a() * b(),
            Op::Div => a() / b(),
            Op::Min => a().min(b()),
            Op::Max => a().max(b()),
            Op::Pow => a().powf(b()),
            Op::AddBy => a() + number,
            Op::SubBy => a() - number,
            Op::MulBy => a() * number,
            Op::DivBy => a() / number,
            Op::SubFrom => L::splat(number) - a(),
            Op::DivFrom => L::splat(number) / a(),
            Op::MinFrom => L::splat(number).min(a()),
            Op::MaxFrom => L::splat(number).max(a()),
            Op::MulAdd => a() * b() + c(),
            Op::MulSub => a() * b() - c(),
            Op::SubMul => c() - a() * b(),
            Op::MulMul => a() * b() * c(),
            Op::AddThenMul => (a() + b()) * c(),
            Op::SubThenMul => (a() - b()) * c(),
            Op::MulByAdd => a() * number + b(),
            Op::MulBySub => a() * number - b(),
            Op::SubMulBy => b() - a() * number,
            Op::MulByMul => a() * number * b(),
            Op::AddByThenMul => (a() + number) * b(),
            Op::SubByThenMul => (a() - number) * b(),
            Op::SubFromThenMul => (L::splat(number) - a()) * b(),
            Op::AddThenMulBy => (a() + b()) * number,
            Op::SubThenMulBy => (a() - b()) * number,
            Op::MulThenMulBy => a() * b() * number,
            Op::Less => L::select(a().lt(b()), c(), operand(3)),
            Op::LessEqual => L::select(a().le(b()), c(), operand(3)),
        }
    }
}
