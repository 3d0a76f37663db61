//! Expressions as a graph in which every value is computed once.

use std::collections::HashMap;

use super::op::Op;
use crate::lane::One;

/// A value of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Value(pub(super) u32);

/// How a value comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// One of the program's inputs.
    Input(u32),
    /// An operation. Places without an operand hold value 0.
    Op {
        op: Op,
        operands: [Value; 4],
        /// The bits of its number; 0 where it has none.
        number: u64,
    },
}

/// Values in the order of evaluation. Equal operations on equal values are one value, operations on
/// numbers are done at once, and what has no effect on any bit (x·1, x/1, x − 0, some signs) is
/// left out.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) origins: Vec<Origin>,
    places: HashMap<Origin, Value>,
}

impl Origin {
    /// The values that it is made of.
    pub(super) fn operands(&self) -> &[Value] {
        match self {
            Origin::Input(_) => &[],
            Origin::Op { op, operands, .. } => &operands[..op.operands()],
        }
    }
}

impl Graph {
    fn value(&mut self, origin: Origin) -> Value {
        let next = Value(u32::try_from(self.origins.len()).expect("fewer values than 2³²"));
        let place = *self.places.entry(origin).or_insert(next);
        if place == next {
            self.origins.push(origin);
        }
        place
    }

    pub(super) fn origin(&self, value: Value) -> &Origin {
        &self.origins[value.0 as usize]
    }

    pub(super) fn input(&mut self, i: usize) -> Value {
        self.value(Origin::Input(i as u32))
    }

    pub(super) fn number(&mut self, x: f64) -> Value {
        self.value(Origin::Op {
            op: Op::Number,
            operands: [Value(0); 4],
            number: x.to_bits(),
        })
    }

    /// The number that a value is, if it is the same for all inputs.
    pub(super) fn as_number(&self, value: Value) -> Option<f64> {
        match self.origin(value) {
            Origin::Op {
                op: Op::Number,
                number,
                ..
            } => Some(f64::from_bits(*number)),
            _ => None,
        }
    }

    /// An operation without a number on values.
    pub(super) fn op<const N: usize>(&mut self, op: Op, values: [Value; N]) -> Value {
        debug_assert_eq!(op.operands(), N);
        let numbers = values.map(|v| self.as_number(v));
        if numbers.iter().all(Option::is_some) {
            let folded = op.apply(|i| One(numbers[i].expect("all are numbers")), 0.0);
            return self.number(folded.0);
        }
        let left = numbers.first().copied().flatten();
        let right = numbers.get(1).copied().flatten();
        let (a, b) = (values[0], values.get(1).copied().unwrap_or(Value(0)));
        // a + (−b) has the bits of a − b, and a − (−b) those of a + b.
        match (op, self.negated(a), self.negated(b)) {
            (Op::Add, _, Some(b)) => return self.op(Op::Sub, [a, b]),
            (Op::Add, Some(a), _) => return self.op(Op::Sub, [b, a]),
            (Op::Sub, _, Some(b)) => return self.op(Op::Add, [a, b]),
            _ => {}
        }
        match (op, left, right) {
            (Op::Add, Some(x), _) => self.with_number(Op::AddBy, b, x),
            (Op::Add, _, Some(x)) => self.with_number(Op::AddBy, a, x),
            (Op::Sub, Some(x), _) => self.with_number(Op::SubFrom, b, x),
            (Op::Sub, _, Some(x)) if x.to_bits() == 0 => a,
            (Op::Sub, _, Some(x)) => self.with_number(Op::SubBy, a, x),
            (Op::Mul, Some(1.0), _) => b,
            (Op::Mul | Op::Div, _, Some(1.0)) => a,
            (Op::Mul, Some(x), _) => self.with_number(Op::MulBy, b, x),
            (Op::Mul, _, Some(x)) => self.with_number(Op::MulBy, a, x),
            (Op::Div, Some(x), _) => self.with_number(Op::DivFrom, b, x),
            (Op::Div, _, Some(x)) => self.with_number(Op::DivBy, a, x),
            // The number on the left lets a NaN in the other through.
            (Op::Min, Some(x), _) => self.with_number(Op::MinFrom, b, x),
            (Op::Min, _, Some(x)) => self.with_number(Op::MinFrom, a, x),
            (Op::Max, Some(x), _) => self.with_number(Op::MaxFrom, b, x),
            (Op::Max, _, Some(x)) => self.with_number(Op::MaxFrom, a, x),
            (Op::Neg, ..) => match (self.negated(a), *self.origin(a)) {
                (Some(a), _) => a,
                // −(a·x) and −(a/x) have the bits of a·(−x) and a/(−x).
                (
                    _,
                    Origin::Op {
                        op: op @ (Op::MulBy | Op::DivBy | Op::DivFrom),
                        operands,
                        number,
                    },
                ) => self.with_number(op, operands[0], -f64::from_bits(number)),
                _ => self.plain(op, &values),
            },
            // a + b and a·b are the same value as b + a and b·a.
            (Op::Add | Op::Mul, ..) => self.plain(op, &[a.min(b), a.max(b)]),
            (Op::Less | Op::LessEqual, Some(x), Some(y)) => {
                let holds = if op == Op::Less { x < y } else { x <= y };
                values[if holds { 2 } else { 3 }]
            }
            _ => self.plain(op, &values),
        }
    }

    fn plain(&mut self, op: Op, values: &[Value]) -> Value {
        let mut operands = [Value(0); 4];
        operands[..values.len()].copy_from_slice(values);
        self.value(Origin::Op {
            op,
            operands,
            number: 0,
        })
    }

    /// a, of a value −a.
    fn negated(&self, value: Value) -> Option<Value> {
        match self.origin(value) {
            Origin::Op {
                op: Op::Neg,
                operands,
                ..
            } => Some(operands[0]),
            _ => None,
        }
    }

    fn with_number(&mut self, op: Op, a: Value, number: f64) -> Value {
        // (−a)·x and (−a)/x have the bits of a·(−x) and a/(−x).
        let (a, number) = match (op, self.negated(a)) {
            (Op::MulBy | Op::DivBy | Op::DivFrom, Some(a)) => (a, -number),
            _ => (a, number),
        };
        self.value(Origin::Op {
            op,
            operands: [a, Value(0), Value(0), Value(0)],
            number: number.to_bits(),
        })
    }

    /// Whether a value is 0 for all finite inputs, as far as its form shows.
    pub(super) fn is_zero(&self, value: Value) -> bool {
        let mut zeros = Vec::new();
        for origin in &self.origins[..=value.0 as usize] {
            let zero = |i: usize| zeros[origin.operands()[i].0 as usize];
            zeros.push(match origin {
                Origin::Input(_) => false,
                Origin::Op { op, number, .. } => {
                    let number = f64::from_bits(*number);
                    match op {
                        Op::Number => number == 0.0,
                        Op::MulBy => number == 0.0 || zero(0),
                        Op::DivFrom => number == 0.0,
                        Op::Neg | Op::DivBy | Op::Div | Op::Abs | Op::Sqrt => zero(0),
                        Op::Mul => zero(0) || zero(1),
                        Op::Add | Op::Sub => zero(0) && zero(1),
                        _ => false,
                    }
                }
            });
        }
        zeros[value.0 as usize]
    }

    /// The inputs that a value depends on, as far as its form shows.
    pub(super) fn inputs(&self, value: Value) -> Vec<usize> {
        let mut seen = std::collections::HashSet::new();
        let mut left = vec![value];
        let mut inputs = Vec::new();
        while let Some(value) = left.pop() {
            if seen.insert(value) {
                match self.origin(value) {
                    Origin::Input(i) => inputs.push(*i as usize),
                    origin => left.extend(origin.operands()),
                }
            }
        }
        inputs
    }
}
