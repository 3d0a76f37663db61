//! Writing an expression with no more parentheses than it needs.

use std::fmt;

use super::ast::{ATOM, Expr, Id, NEGATION, Node, SUM};

/// What is left to write.
enum Piece {
    /// A node where an operand must bind at least so strongly.
    Node(Id, u8),
    Text(&'static str),
}

impl Expr {
    /// How strongly a node binds.
    fn strength(&self, id: Id) -> u8 {
        match &self.nodes[id] {
            Node::Neg(_) => NEGATION,
            Node::Binary(op, ..) => op.binding().0,
            _ => ATOM,
        }
    }

    /// Writes the expression, in parentheses if it binds less than `strength`.
    pub(super) fn write(&self, f: &mut impl fmt::Write, strength: u8) -> fmt::Result {
        let mut left = vec![Piece::Node(self.nodes.len() - 1, strength)];
        while let Some(piece) = left.pop() {
            let (id, strength) = match piece {
                Piece::Text(text) => {
                    f.write_str(text)?;
                    continue;
                }
                Piece::Node(id, strength) => (id, strength),
            };
            if self.strength(id) < strength {
                f.write_char('(')?;
                left.push(Piece::Text(")"));
            }
            match &self.nodes[id] {
                Node::Number(x) => f.write_str(&number(*x))?,
                Node::Name(name) => f.write_str(name)?,
                Node::Neg(a) => {
                    f.write_char('-')?;
                    left.push(Piece::Node(*a, NEGATION + 1));
                }
                Node::Binary(op, a, b) => {
                    let (_, on_left, mut on_right) = op.binding();
                    // a*(-b) would be read without parentheses too, but not by everyone.
                    if matches!(self.nodes[*b], Node::Neg(_)) {
                        on_right = NEGATION + 1;
                    }
                    left.push(Piece::Node(*b, on_right));
                    left.push(Piece::Text(op.sign()));
                    left.push(Piece::Node(*a, on_left));
                }
                Node::Call(function, arguments) => {
                    f.write_str(function.name())?;
                    list(&mut left, arguments);
                    f.write_char('(')?;
                }
                Node::If(comparison, [a, b, c, d]) => {
                    f.write_str("if(")?;
                    list(&mut left, &[*c, *d]);
                    left.push(Piece::Text(", "));
                    left.push(Piece::Node(*b, SUM));
                    left.push(Piece::Text(comparison.sign()));
                    left.push(Piece::Node(*a, SUM));
                }
            }
        }
        Ok(())
    }
}

/// Arguments with commas between them and a parenthesis behind.
fn list(left: &mut Vec<Piece>, arguments: &[Id]) {
    left.push(Piece::Text(")"));
    for (i, id) in arguments.iter().enumerate().rev() {
        left.push(Piece::Node(*id, SUM));
        if i > 0 {
            left.push(Piece::Text(", "));
        }
    }
}

/// A number in the fewest digits that are read back as the same.
pub(crate) fn number(x: f64) -> String {
    let text = format!("{x:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}
