//! Random syntax trees, and their value by plain recursion.

use proptest::prelude::*;

use crate::expr::ast::{Binary, Comparison, Expr, Function, Id, Node};
use crate::expr::error::Span;
use crate::lane::{Lane, One};

pub(super) const NAMES: [&str; 6] = ["x", "y", "t", "theta", "σ₁", "pi"];

/// The values of `NAMES`.
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) t: f64,
}

pub(super) const THETA: f64 = 0.25;
pub(super) const SIGMA: f64 = 2.0;

/// Trees of up to `size` steps of a stack machine, which writes operands before their operator as
/// the parser does.
pub(super) fn trees(size: usize) -> impl Strategy<Value = Expr> {
    let step = (any::<u32>(), number());
    prop::collection::vec(step, 1..size).prop_map(|steps| {
        let mut nodes: Vec<Node> = Vec::new();
        let mut stack: Vec<Id> = Vec::new();
        for (word, x) in steps {
            let choice = (word / 64) as usize;
            let node = match word % 8 {
                0 | 1 if !stack.is_empty() => {
                    let function = Function::ALL[choice % Function::ALL.len()];
                    match stack.len().checked_sub(function.arity()) {
                        Some(left) => Node::Call(function, stack.split_off(left)),
                        None => Node::Neg(stack.pop().expect("it is not empty")),
                    }
                }
                2..=4 if stack.len() >= 2 => {
                    let ops = [
                        Binary::Add,
                        Binary::Sub,
                        Binary::Mul,
                        Binary::Div,
                        Binary::Pow,
                    ];
                    let pair = stack.split_off(stack.len() - 2);
                    Node::Binary(ops[choice % 5], pair[0], pair[1])
                }
                5 if stack.len() >= 4 => {
                    let comparisons = [
                        Comparison::Less,
                        Comparison::LessEqual,
                        Comparison::Greater,
                        Comparison::GreaterEqual,
                    ];
                    let parts = stack.split_off(stack.len() - 4);
                    let parts = [parts[0], parts[1], parts[2], parts[3]];
                    Node::If(comparisons[choice % 4], parts)
                }
                6 => Node::Number(x),
                _ => Node::Name(NAMES[choice % NAMES.len()].to_owned()),
            };
            nodes.push(node);
            stack.push(nodes.len() - 1);
        }
        while stack.len() > 1 {
            let pair = stack.split_off(stack.len() - 2);
            nodes.push(Node::Binary(Binary::Sub, pair[0], pair[1]));
            stack.push(nodes.len() - 1);
        }
        let spans = vec![Span::new(0, 0); nodes.len()];
        Expr { nodes, spans }
    })
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::sample::select(vec![0.0, 0.5, 1.0, 2.0, 3.0, 10.0, 1e-7, 1e300]),
        any::<f64>()
            .prop_map(f64::abs)
            .prop_filter("finite", |x| x.is_finite()),
        0.0..4.0_f64,
    ]
}

type Number = One<f64>;

/// The value of a node, and whether it is the same for all x, y and t.
pub(super) fn value(expr: &Expr, id: Id, at: &Point) -> (Number, bool) {
    let of = |id: Id| value(expr, id, at);
    match &expr.nodes[id] {
        Node::Number(x) => (One(*x), true),
        Node::Name(name) => match name.as_str() {
            "x" => (One(at.x), false),
            "y" => (One(at.y), false),
            "t" => (One(at.t), false),
            "theta" => (One(THETA), true),
            "σ₁" => (One(SIGMA), true),
            _ => (One(std::f64::consts::PI), true),
        },
        Node::Neg(a) => (-of(*a).0, of(*a).1),
        Node::Binary(op, a, b) => {
            let ((a, fixed_a), (b, fixed_b)) = (of(*a), of(*b));
            let fixed = fixed_a && fixed_b;
            match op {
                Binary::Add => (a + b, fixed),
                Binary::Sub => (a - b, fixed),
                Binary::Mul => (a * b, fixed),
                Binary::Div => (a / b, fixed),
                Binary::Pow => power((a, fixed_a), (b, fixed_b)),
            }
        }
        Node::Call(function, arguments) => {
            let arguments: Vec<_> = arguments.iter().map(|id| of(*id)).collect();
            let fixed = arguments.iter().all(|a| a.1);
            (call(*function, &arguments), fixed)
        }
        Node::If(comparison, [a, b, c, d]) => {
            let ((a, fixed_a), (b, fixed_b)) = (of(*a), of(*b));
            let yes = match comparison {
                Comparison::Less => a.0 < b.0,
                Comparison::LessEqual => a.0 <= b.0,
                Comparison::Greater => a.0 > b.0,
                Comparison::GreaterEqual => a.0 >= b.0,
            };
            let chosen = of(if yes { *c } else { *d });
            let fixed = of(*c).1 && of(*d).1;
            (chosen.0, fixed_a && fixed_b && (chosen.1 || fixed))
        }
    }
}

fn power((a, fixed_a): (Number, bool), (b, fixed_b): (Number, bool)) -> (Number, bool) {
    if fixed_b && b.0 == b.0.floor() && b.0.abs() <= 1024.0 {
        (a.powi(b.0 as i32), fixed_a || b.0 == 0.0)
    } else if fixed_b && b.0 == 0.5 {
        (a.sqrt(), fixed_a)
    } else if fixed_b && b.0 == -0.5 {
        (One(1.0) / a.sqrt(), fixed_a)
    } else {
        (a.powf(b), fixed_a && fixed_b)
    }
}

fn call(function: Function, arguments: &[(Number, bool)]) -> Number {
    let a = arguments[0].0;
    let zero = One(0.0);
    let one = One(1.0);
    let cosh = || (a.exp() + (-a).exp()) * 0.5;
    let asin = || (a / ((one - a) * (a + 1.0)).sqrt()).atan();
    let e = || (-a.abs()).exp();
    match function {
        Function::Exp => a.exp(),
        Function::Ln => a.ln(),
        Function::Log2 => a.ln() / std::f64::consts::LN_2,
        Function::Log10 => a.ln() / std::f64::consts::LN_10,
        Function::Sqrt => a.sqrt(),
        Function::Cbrt => {
            let root = (a.abs().ln() / 3.0).exp();
            if a.0 < 0.0 { -root } else { root }
        }
        Function::Square => a * a,
        Function::Sin => a.sin(),
        Function::Cos => a.cos(),
        Function::Tan => a.sin() / a.cos(),
        Function::Asin => asin(),
        Function::Acos => One(std::f64::consts::FRAC_PI_2) - asin(),
        Function::Atan => a.atan(),
        Function::Sinh => a.tanh() * cosh(),
        Function::Cosh => cosh(),
        Function::Tanh => a.tanh(),
        Function::Abs => a.abs(),
        Function::Sign if a.0 < 0.0 => One(-1.0),
        Function::Sign if a.0 > 0.0 => one,
        Function::Sign => a * 0.0,
        Function::Floor => a.floor(),
        Function::Ceil => -(-a).floor(),
        Function::Step if a.0 < 0.0 => zero,
        Function::Step if a.0 >= 0.0 => one,
        Function::Step => a,
        Function::Sigmoid if a.0 < 0.0 => e() / (e() + 1.0),
        Function::Sigmoid => one / (e() + 1.0),
        Function::Softplus => {
            let positive = if 0.0 > a.0 { zero } else { a };
            positive + (e() + 1.0).ln()
        }
        Function::Min => ordered(arguments[0], arguments[1], Lane::min).0,
        Function::Max => ordered(arguments[0], arguments[1], Lane::max).0,
        Function::Clamp => {
            let above = ordered(arguments[1], arguments[0], Lane::max);
            ordered(arguments[2], above, Lane::min).0
        }
    }
}

/// The lesser or greater of two: a number passes the other operand's NaN on.
fn ordered(
    (a, fixed_a): (Number, bool),
    (b, fixed_b): (Number, bool),
    f: fn(Number, Number) -> Number,
) -> (Number, bool) {
    let value = if fixed_b && !fixed_a {
        f(b, a)
    } else {
        f(a, b)
    };
    (value, fixed_a && fixed_b)
}
