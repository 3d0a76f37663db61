//! Syntax trees to graphs: what the operators and functions are made of.

use super::ast::{Binary, Comparison, Expr, Function, Node};
use super::error::Fault;
use super::graph::{Graph, Value};
use super::names::{Scope, Symbol, constant};
use super::op::Op;

/// The greatest whole exponent that is multiplied out.
const MAX_POWER: f64 = 1024.0;

impl Graph {
    /// The value of an expression. Input 0 is the time; the components of the state follow.
    pub(super) fn lower(&mut self, expr: &Expr, scope: &mut Scope) -> Result<Value, Fault> {
        let mut values = Vec::with_capacity(expr.nodes.len());
        for (node, span) in expr.nodes.iter().zip(&expr.spans) {
            let of = |id: &usize| -> Value { values[*id] };
            let value = match node {
                Node::Number(x) => self.number(*x),
                Node::Name(name) => match (constant(name), scope.resolve(name)) {
                    (Some(x), _) => self.number(x),
                    (_, Some(Symbol::Time)) => self.input(0),
                    (_, Some(Symbol::State(i))) => self.input(1 + i),
                    (_, Some(Symbol::Parameter(i))) => self.number(scope.parameters[i].1),
                    _ => return Err(scope.unknown(name, *span)),
                },
                Node::Neg(a) => self.op(Op::Neg, [of(a)]),
                Node::Binary(op, a, b) => {
                    let (a, b) = (of(a), of(b));
                    match op {
                        Binary::Add => self.op(Op::Add, [a, b]),
                        Binary::Sub => self.op(Op::Sub, [a, b]),
                        Binary::Mul => self.op(Op::Mul, [a, b]),
                        Binary::Div => self.op(Op::Div, [a, b]),
                        Binary::Pow => self.power(a, b),
                    }
                }
                Node::Call(function, arguments) => {
                    let arguments: Vec<Value> = arguments.iter().map(of).collect();
                    self.call(*function, &arguments)
                }
                Node::If(comparison, parts) => {
                    let [a, b, c, d] = parts.map(|id| values[id]);
                    match comparison {
                        Comparison::Less => self.op(Op::Less, [a, b, c, d]),
                        Comparison::LessEqual => self.op(Op::LessEqual, [a, b, c, d]),
                        Comparison::Greater => self.op(Op::Less, [b, a, c, d]),
                        Comparison::GreaterEqual => self.op(Op::LessEqual, [b, a, c, d]),
                    }
                }
            };
            if let Some(x) = self.as_number(value).filter(|x| !x.is_finite()) {
                return Err(Fault::new(
                    *span,
                    format!("this is {x}, not a finite number"),
                ));
            }
            values.push(value);
        }
        Ok(*values.last().expect("an expression has a node"))
    }

    /// aᵇ: whole numbers b are multiplied out as [`Lane::powi`](crate::lane::Lane::powi) does, ±½
    /// are roots, and e is the base of the exponential function.
    pub(super) fn power(&mut self, a: Value, b: Value) -> Value {
        if self.as_number(a) == Some(std::f64::consts::E) && self.as_number(b).is_none() {
            return self.op(Op::Exp, [b]);
        }
        match self.as_number(b) {
            Some(n) if n == n.floor() && n.abs() <= MAX_POWER => self.whole_power(a, n),
            Some(0.5) => self.op(Op::Sqrt, [a]),
            Some(-0.5) => {
                let root = self.op(Op::Sqrt, [a]);
                self.reciprocal(root)
            }
            _ => self.op(Op::Pow, [a, b]),
        }
    }

    fn whole_power(&mut self, a: Value, n: f64) -> Value {
        let mut left = n.abs() as u32;
        let mut power = a;
        let mut result = None;
        while left > 0 {
            if left & 1 == 1 {
                result = Some(match result {
                    None => power,
                    Some(r) => self.op(Op::Mul, [r, power]),
                });
            }
            left >>= 1;
            if left > 0 {
                power = self.op(Op::Mul, [power, power]);
            }
        }
        match result {
            None => self.number(1.0),
            Some(r) if n < 0.0 => self.reciprocal(r),
            Some(r) => r,
        }
    }

    fn reciprocal(&mut self, a: Value) -> Value {
        let one = self.number(1.0);
        self.op(Op::Div, [one, a])
    }

    fn binary_number(&mut self, op: Op, a: Value, x: f64) -> Value {
        let x = self.number(x);
        self.op(op, [a, x])
    }

    /// `less` where a < 0, else `otherwise`.
    fn if_negative(&mut self, a: Value, less: Value, otherwise: Value) -> Value {
        let zero = self.number(0.0);
        self.op(Op::Less, [a, zero, less, otherwise])
    }

    /// e^{−|a|}, which cannot overflow.
    fn exp_of_minus_size(&mut self, a: Value) -> Value {
        let size = self.op(Op::Abs, [a]);
        let minus = self.op(Op::Neg, [size]);
        self.op(Op::Exp, [minus])
    }

    fn call(&mut self, function: Function, arguments: &[Value]) -> Value {
        let a = arguments[0];
        match function {
            Function::Exp => self.op(Op::Exp, [a]),
            Function::Ln => self.op(Op::Ln, [a]),
            Function::Sqrt => self.op(Op::Sqrt, [a]),
            Function::Sin => self.op(Op::Sin, [a]),
            Function::Cos => self.op(Op::Cos, [a]),
            Function::Atan => self.op(Op::Atan, [a]),
            Function::Tanh => self.op(Op::Tanh, [a]),
            Function::Abs => self.op(Op::Abs, [a]),
            Function::Floor => self.op(Op::Floor, [a]),
            Function::Min => self.op(Op::Min, [a, arguments[1]]),
            Function::Max => self.op(Op::Max, [a, arguments[1]]),
            Function::Square => self.op(Op::Mul, [a, a]),
            Function::Log2 => {
                let ln = self.op(Op::Ln, [a]);
                self.binary_number(Op::Div, ln, std::f64::consts::LN_2)
            }
            Function::Log10 => {
                let ln = self.op(Op::Ln, [a]);
                self.binary_number(Op::Div, ln, std::f64::consts::LN_10)
            }
            Function::Cbrt => {
                let size = self.op(Op::Abs, [a]);
                let ln = self.op(Op::Ln, [size]);
                let third = self.binary_number(Op::Div, ln, 3.0);
                let root = self.op(Op::Exp, [third]);
                let minus = self.op(Op::Neg, [root]);
                self.if_negative(a, minus, root)
            }
            Function::Tan => {
                let (sin, cos) = (self.op(Op::Sin, [a]), self.op(Op::Cos, [a]));
                self.op(Op::Div, [sin, cos])
            }
            Function::Asin => self.asin(a),
            Function::Acos => {
                let asin = self.asin(a);
                let quarter = self.number(std::f64::consts::FRAC_PI_2);
                self.op(Op::Sub, [quarter, asin])
            }
            Function::Cosh => self.cosh(a),
            // Not (eᵃ − e⁻ᵃ)/2, which cancels near 0.
            Function::Sinh => {
                let (tanh, cosh) = (self.op(Op::Tanh, [a]), self.cosh(a));
                self.op(Op::Mul, [tanh, cosh])
            }
            Function::Sign => {
                // a·0 is 0 at 0 and lets NaN through; the infinities do not get there.
                let zero = self.number(0.0);
                let [one, minus] = [1.0, -1.0].map(|x| self.number(x));
                let nothing = self.op(Op::Mul, [a, zero]);
                let positive = self.op(Op::Less, [zero, a, one, nothing]);
                self.if_negative(a, minus, positive)
            }
            Function::Ceil => {
                let minus = self.op(Op::Neg, [a]);
                let floor = self.op(Op::Floor, [minus]);
                self.op(Op::Neg, [floor])
            }
            Function::Step => {
                // The a in the last place is NaN.
                let (zero, one) = (self.number(0.0), self.number(1.0));
                let below = self.if_negative(a, zero, a);
                self.op(Op::LessEqual, [zero, a, one, below])
            }
            Function::Sigmoid => {
                let e = self.exp_of_minus_size(a);
                let sum = self.binary_number(Op::Add, e, 1.0);
                let (low, high) = (self.op(Op::Div, [e, sum]), self.reciprocal(sum));
                self.if_negative(a, low, high)
            }
            Function::Softplus => {
                let e = self.exp_of_minus_size(a);
                let sum = self.binary_number(Op::Add, e, 1.0);
                let rest = self.op(Op::Ln, [sum]);
                let zero = self.number(0.0);
                let positive = self.op(Op::Max, [zero, a]);
                self.op(Op::Add, [positive, rest])
            }
            Function::Clamp => {
                let above = self.op(Op::Max, [arguments[1], a]);
                self.op(Op::Min, [arguments[2], above])
            }
        }
    }

    /// atan(a/√((1 − a)(1 + a))): at ±1 the quotient is infinite and its arc tangent ±π/2.
    fn asin(&mut self, a: Value) -> Value {
        let one = self.number(1.0);
        let (minus, plus) = (self.op(Op::Sub, [one, a]), self.op(Op::Add, [one, a]));
        let square = self.op(Op::Mul, [minus, plus]);
        let root = self.op(Op::Sqrt, [square]);
        let quotient = self.op(Op::Div, [a, root]);
        self.op(Op::Atan, [quotient])
    }

    fn cosh(&mut self, a: Value) -> Value {
        let minus = self.op(Op::Neg, [a]);
        let (up, down) = (self.op(Op::Exp, [a]), self.op(Op::Exp, [minus]));
        let sum = self.op(Op::Add, [up, down]);
        self.binary_number(Op::Mul, sum, 0.5)
    }
}
