//! Two operations in one instruction, where the first serves the second alone: one dispatch instead
//! of two, and nothing to be kept between. Both are rounded as before.

use super::graph::{Graph, Origin, Value};
use super::op::Op;

/// An operation with its operands and its number.
type Parts = (Op, [Value; 4], u64);

impl Graph {
    /// The graph with fused operations; values keep their places, and some are no longer needed.
    pub(super) fn fused(&self, outputs: &[Value]) -> Vec<Origin> {
        let mut uses = vec![0_u32; self.origins.len()];
        for value in outputs {
            uses[value.0 as usize] += 1;
        }
        for (place, origin) in self.origins.iter().enumerate().rev() {
            if uses[place] > 0 {
                for value in origin.operands() {
                    uses[value.0 as usize] += 1;
                }
            }
        }
        let mut origins = self.origins.clone();
        for place in 0..origins.len() {
            let Origin::Op {
                op,
                operands,
                number,
            } = origins[place]
            else {
                continue;
            };
            for side in 0..op.operands().min(2) {
                let inner = operands[side].0 as usize;
                if uses[inner] != 1 {
                    continue;
                }
                if let Origin::Op {
                    op: first,
                    operands: from,
                    number: its,
                } = origins[inner]
                    && let Some((op, operands, number)) =
                        join((op, operands, number), side, (first, from, its))
                {
                    origins[place] = Origin::Op {
                        op,
                        operands,
                        number,
                    };
                    break;
                }
            }
        }
        origins
    }
}

/// The outer operation with the inner one in the place of its operand `side`.
fn join((outer, operands, outer_number): Parts, side: usize, inner: Parts) -> Option<Parts> {
    let (inner, [a, b, ..], inner_number) = inner;
    let other = operands[1 - side];
    // The number is that of the one operation that has one.
    let (op, number) = match (outer, inner, side) {
        (Op::Add, Op::Mul, _) => (Op::MulAdd, 0),
        (Op::Sub, Op::Mul, 0) => (Op::MulSub, 0),
        (Op::Sub, Op::Mul, _) => (Op::SubMul, 0),
        (Op::Add, Op::MulBy, _) => (Op::MulByAdd, inner_number),
        (Op::Sub, Op::MulBy, 0) => (Op::MulBySub, inner_number),
        (Op::Sub, Op::MulBy, _) => (Op::SubMulBy, inner_number),
        (Op::Mul, Op::Mul, _) => (Op::MulMul, 0),
        (Op::Mul, Op::MulBy, _) => (Op::MulByMul, inner_number),
        (Op::Mul, Op::Add, _) => (Op::AddThenMul, 0),
        (Op::Mul, Op::Sub, _) => (Op::SubThenMul, 0),
        (Op::Mul, Op::AddBy, _) => (Op::AddByThenMul, inner_number),
        (Op::Mul, Op::SubBy, _) => (Op::SubByThenMul, inner_number),
        (Op::Mul, Op::SubFrom, _) => (Op::SubFromThenMul, inner_number),
        (Op::MulBy, Op::Add, _) => (Op::AddThenMulBy, outer_number),
        (Op::MulBy, Op::Sub, _) => (Op::SubThenMulBy, outer_number),
        (Op::MulBy, Op::Mul, _) => (Op::MulThenMulBy, outer_number),
        _ => return None,
    };
    let operands = match op {
        Op::AddThenMulBy | Op::SubThenMulBy | Op::MulThenMulBy => [a, b, Value(0), Value(0)],
        _ if op.operands() == 2 => [a, other, Value(0), Value(0)],
        _ => [a, b, other, Value(0)],
    };
    Some((op, operands, number))
}
