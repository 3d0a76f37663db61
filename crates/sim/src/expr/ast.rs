//! The syntax tree of an expression.

use super::error::Span;

/// The place of a node in its [`Expr`].
pub(super) type Id = usize;

/// One node; its operands stand before it in the [`Expr`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// A number, finite and ≥ 0.
    Number(f64),
    /// A state, a parameter, the time or a constant.
    Name(String),
    /// −a.
    Neg(Id),
    /// a ∘ b.
    Binary(Binary, Id, Id),
    /// A function of its arguments.
    Call(Function, Vec<Id>),
    /// `if(a < b, c, d)`.
    If(Comparison, [Id; 4]),
}

/// The operators between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
}

/// The comparisons of `if`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// An expression: its nodes in the order of evaluation, so that no walk over it needs recursion
/// and no depth of it overflows the stack. The last node is the whole.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) nodes: Vec<Node>,
    pub(super) spans: Vec<Span>,
}

/// The same expression, wherever it was written.
impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes
    }
}

impl Expr {
    /// The bytes of the whole expression.
    pub(super) fn span(&self) -> Span {
        *self.spans.last().expect("an expression has a node")
    }
}

macro_rules! functions {
    ($($variant:ident = $first:literal $(| $other:literal)*, $arity:literal;)*) => {
        /// The functions by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Function {
            $($variant,)*
        }

        impl Function {
            /// All functions.
            #[cfg(test)]
            pub(super) const ALL: &[Function] = &[$(Function::$variant,)*];

            /// All names of functions.
            pub(super) const NAMES: &[&str] = &["if", "where", "pow", $($first, $($other,)*)*];

            pub(super) fn by_name(name: &str) -> Option<Function> {
                match name {
                    $($first $(| $other)* => Some(Function::$variant),)*
                    _ => None,
                }
            }

            /// The name that it is printed by.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Function::$variant => $first,)*
                }
            }

            /// How many arguments it takes.
            pub(super) fn arity(self) -> usize {
                match self {
                    $(Function::$variant => $arity,)*
                }
            }
        }
    };
}

functions! {
    Exp = "exp", 1;
    Ln = "ln" | "log", 1;
    Log2 = "log2", 1;
    Log10 = "log10", 1;
    Sqrt = "sqrt", 1;
    Cbrt = "cbrt", 1;
    Square = "square", 1;
    Sin = "sin", 1;
    Cos = "cos", 1;
    Tan = "tan", 1;
    Asin = "asin", 1;
    Acos = "acos", 1;
    Atan = "atan", 1;
    Sinh = "sinh", 1;
    Cosh = "cosh", 1;
    Tanh = "tanh", 1;
    Abs = "abs", 1;
    Sign = "sign", 1;
    Floor = "floor", 1;
    Ceil = "ceil", 1;
    Step = "step" | "heaviside", 1;
    Sigmoid = "sigmoid", 1;
    Softplus = "softplus", 1;
    Min = "min", 2;
    Max = "max", 2;
    Clamp = "clamp", 3;
}

impl Binary {
    /// The sign that it is printed by.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Binary::Add => " + ",
            Binary::Sub => " - ",
            Binary::Mul => "*",
            Binary::Div => "/",
            Binary::Pow => "^",
        }
    }

    /// How strongly it binds, and how strongly an operand on its left and on its right must.
    pub(super) fn binding(self) -> (u8, u8, u8) {
        match self {
            Binary::Add | Binary::Sub => (SUM, SUM, SUM + 1),
            Binary::Mul | Binary::Div => (PRODUCT, PRODUCT, PRODUCT + 1),
            Binary::Pow => (POWER, POWER + 1, POWER),
        }
    }
}

/// The strengths of binding: −x² is −(x²), and −x·y is (−x)·y.
pub(super) const SUM: u8 = 10;
pub(super) const PRODUCT: u8 = 20;
pub(super) const NEGATION: u8 = 30;
pub(super) const POWER: u8 = 40;
pub(super) const ATOM: u8 = 50;

impl Comparison {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Comparison::Less => " < ",
            Comparison::LessEqual => " <= ",
            Comparison::Greater => " > ",
            Comparison::GreaterEqual => " >= ",
        }
    }
}
