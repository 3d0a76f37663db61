//! Tokens to a syntax tree, by operator precedence (V. Pratt, *Top Down Operator Precedence*,
//! 1973).

use super::ast::{Binary, Comparison, Expr, Function, Id, NEGATION, Node};
use super::error::{Fault, Span};
use super::lex::{Lexer, Token};
use super::names::closest;

/// How deep parentheses, signs and powers may be nested.
const MAX_DEPTH: usize = 128;

/// An expression in a list, with the name before its `=`.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Option<(String, Span)>,
    pub(super) expr: Expr,
}

/// One expression.
pub(super) fn expression(text: &str) -> Result<Expr, Fault> {
    let mut parser = Parser::new(text)?;
    let expr = parser.whole()?;
    while matches!(parser.token, Token::Newline | Token::Semicolon) {
        parser.advance()?;
    }
    match parser.token {
        Token::End => Ok(expr),
        _ => Err(parser.unexpected("one expression is expected here")),
    }
}

/// Rows, ended by `;` or a new line, of entries with `,` between them. An entry is an expression or
/// an equation `x' = …`, `dx/dt = …` or `x = …`. Empty rows are left out.
pub(super) fn rows(text: &str) -> Result<Vec<Vec<Entry>>, Fault> {
    let mut parser = Parser::new(text)?;
    let mut rows = Vec::new();
    loop {
        while matches!(parser.token, Token::Newline | Token::Semicolon) {
            parser.advance()?;
        }
        if parser.token == Token::End {
            return Ok(rows);
        }
        let mut row = vec![parser.entry()?];
        while parser.token == Token::Comma {
            parser.advance()?;
            row.push(parser.entry()?);
        }
        match parser.token {
            Token::Newline | Token::Semicolon | Token::End => rows.push(row),
            _ => return Err(parser.unexpected("`,`, `;` or the end is expected here")),
        }
    }
}

#[derive(Clone)]
struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token to be read next, and where it is.
    token: Token,
    span: Span,
    /// The token before, and where it is.
    last: (Token, Span),
    depth: usize,
    nodes: Vec<Node>,
    spans: Vec<Span>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, Fault> {
        let start = Span::new(0, 0);
        let mut parser = Parser {
            lexer: Lexer::new(text),
            token: Token::End,
            span: start,
            last: (Token::End, start),
            depth: 0,
            nodes: Vec::new(),
            spans: Vec::new(),
        };
        parser.advance()?;
        Ok(parser)
    }

    fn text(&self) -> &'a str {
        self.lexer.text(self.span)
    }

    fn advance(&mut self) -> Result<(), Fault> {
        self.last = (self.token, self.span);
        (self.token, self.span) = self.lexer.next()?;
        Ok(())
    }

    fn push(&mut self, node: Node, span: Span) -> Id {
        self.nodes.push(node);
        self.spans.push(span);
        self.nodes.len() - 1
    }

    fn entry(&mut self) -> Result<Entry, Fault> {
        self.skip_lines()?;
        let before = self.clone();
        let name = self.left_side().ok().flatten();
        if name.is_none() {
            *self = before;
        }
        let expr = self.whole()?;
        Ok(Entry { name, expr })
    }

    /// `x' =`, `dx/dt =` or `x =`, if that is what stands here.
    fn left_side(&mut self) -> Result<Option<(String, Span)>, Fault> {
        if self.token != Token::Name {
            return Ok(None);
        }
        let (mut name, mut span) = (self.text(), self.span);
        self.advance()?;
        match self.token {
            Token::Prime => self.advance()?,
            Token::Slash if name.len() > 1 && name.starts_with('d') => {
                self.advance()?;
                if self.text() != "dt" {
                    return Ok(None);
                }
                self.advance()?;
                name = &name[1..];
                span.start += 1;
            }
            _ => {}
        }
        if self.token != Token::Equals {
            return Ok(None);
        }
        self.advance()?;
        Ok(Some((name.to_owned(), span)))
    }

    fn whole(&mut self) -> Result<Expr, Fault> {
        self.expression(0)?;
        Ok(Expr {
            nodes: std::mem::take(&mut self.nodes),
            spans: std::mem::take(&mut self.spans),
        })
    }

    /// An expression whose operators bind at least so strongly.
    fn expression(&mut self, strength: u8) -> Result<Id, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(
                self.span,
                format!("nested more than {MAX_DEPTH} levels deep"),
            ));
        }
        let mut left = self.operand()?;
        loop {
            let op = match self.token {
                Token::Plus => Binary::Add,
                Token::Minus => Binary::Sub,
                Token::Star => Binary::Mul,
                Token::Slash => Binary::Div,
                Token::Caret | Token::Power(_) => Binary::Pow,
                _ => break,
            };
            let (binds, _, on_right) = op.binding();
            if binds < strength {
                break;
            }
            let token = self.token;
            let exponent = self.span;
            self.advance()?;
            let right = match token {
                Token::Power(n) => self.push(Node::Number(n), exponent),
                _ => self.expression(on_right)?,
            };
            let span = self.spans[left].to(self.last.1);
            left = self.push(Node::Binary(op, left, right), span);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn skip_lines(&mut self) -> Result<(), Fault> {
        while self.token == Token::Newline {
            self.advance()?;
        }
        Ok(())
    }

    /// A number, a name, a call, or an expression with a sign or in parentheses.
    fn operand(&mut self) -> Result<Id, Fault> {
        self.skip_lines()?;
        let start = self.span;
        match self.token {
            Token::Number(x) => {
                self.advance()?;
                Ok(self.push(Node::Number(x), start))
            }
            Token::Name => self.name(),
            Token::Minus => {
                self.advance()?;
                let a = self.expression(NEGATION)?;
                Ok(self.push(Node::Neg(a), start.to(self.last.1)))
            }
            Token::Plus => {
                self.advance()?;
                self.expression(NEGATION)
            }
            Token::Open => {
                self.open()?;
                let a = self.expression(0)?;
                self.close(start)?;
                self.spans[a] = start.to(self.last.1);
                Ok(a)
            }
            _ => Err(self.missing_operand()),
        }
    }

    fn open(&mut self) -> Result<(), Fault> {
        self.lexer.open += 1;
        self.advance()
    }

    fn close(&mut self, opened: Span) -> Result<(), Fault> {
        match self.token {
            Token::Close => {
                self.lexer.open -= 1;
                self.advance()
            }
            Token::End | Token::Semicolon => {
                Err(Fault::new(opened, "this parenthesis is never closed"))
            }
            _ => Err(self.unexpected("`)` is expected here")),
        }
    }

    fn name(&mut self) -> Result<Id, Fault> {
        let (name, span) = (self.text(), self.span);
        let known = Function::NAMES.contains(&name);
        self.advance()?;
        if self.token != Token::Open {
            if known {
                return Err(Fault::new(span, format!("`{name}` is a function"))
                    .hint(format!("write {name}(…)")));
            }
            return Ok(self.push(Node::Name(name.to_owned()), span));
        }
        if !known {
            let product = format!("to multiply, write {name}*(…)");
            let fault = Fault::new(span, format!("unknown function `{name}`"));
            return Err(match closest(name, Function::NAMES.iter().copied()) {
                Some(near) => fault.hint(format!("did you mean `{near}`? ({product})")),
                None => fault.hint(product),
            });
        }
        let opened = self.span;
        self.open()?;
        if matches!(name, "if" | "where") {
            return self.choice(span, opened);
        }
        let function = Function::by_name(name);
        let arity = function.map_or(2, Function::arity);
        let mut arguments = Vec::new();
        if self.token != Token::Close {
            arguments.push(self.expression(0)?);
            while self.token == Token::Comma {
                self.advance()?;
                arguments.push(self.expression(0)?);
            }
        }
        self.close(opened)?;
        let span = span.to(self.last.1);
        if arguments.len() != arity {
            let takes = match arity {
                1 => "1 argument".to_owned(),
                n => format!("{n} arguments"),
            };
            let message = format!("`{name}` takes {takes}, not {}", arguments.len());
            return Err(Fault::new(span, message));
        }
        Ok(self.push(
            match function {
                Some(function) => Node::Call(function, arguments),
                None => Node::Binary(Binary::Pow, arguments[0], arguments[1]),
            },
            span,
        ))
    }

    /// The rest of `if(a < b, c, d)`.
    fn choice(&mut self, start: Span, opened: Span) -> Result<Id, Fault> {
        let a = self.expression(0)?;
        let comparison = match self.token {
            Token::Less => Comparison::Less,
            Token::LessEqual => Comparison::LessEqual,
            Token::Greater => Comparison::Greater,
            Token::GreaterEqual => Comparison::GreaterEqual,
            _ => {
                return Err(Fault::new(self.span, "a comparison is expected here")
                    .hint("write if(x < 0, a, b)"));
            }
        };
        self.advance()?;
        let b = self.expression(0)?;
        if self.compares() {
            return Err(Fault::new(self.span, "a second comparison")
                .hint("write if(a < x, if(x < b, …, …), …)"));
        }
        let mut parts = [a, b, 0, 0];
        for part in &mut parts[2..] {
            if self.token != Token::Comma {
                return Err(match self.token {
                    Token::Close => Fault::new(self.span, "`if` takes 3 arguments")
                        .hint("write if(x < 0, a, b)"),
                    Token::End => Fault::new(opened, "this parenthesis is never closed"),
                    _ => self.unexpected("`,` is expected here"),
                });
            }
            self.advance()?;
            *part = self.expression(0)?;
        }
        self.close(opened)?;
        Ok(self.push(Node::If(comparison, parts), start.to(self.last.1)))
    }

    fn compares(&self) -> bool {
        matches!(
            self.token,
            Token::Less | Token::LessEqual | Token::Greater | Token::GreaterEqual
        )
    }

    /// No expression begins here.
    fn missing_operand(&self) -> Fault {
        let found = match self.token {
            Token::End | Token::Newline => "the end".to_owned(),
            _ => format!("`{}`", self.text()),
        };
        Fault::new(
            self.span,
            format!("a number, a name or `(` is expected, not {found}"),
        )
    }

    /// An expression ended before this token, which cannot follow it.
    fn unexpected(&self, otherwise: &str) -> Fault {
        let text = self.text();
        match self.token {
            Token::Number(_) | Token::Name | Token::Open => {
                let before = self.lexer.text(self.last.1);
                let fault = Fault::new(self.span, "an operator is missing here");
                match (self.last.0, self.token) {
                    (Token::Number(_) | Token::Name, Token::Open) => {
                        fault.hint(format!("to multiply, write {before}*(…)"))
                    }
                    (Token::Number(_) | Token::Name, _) => {
                        fault.hint(format!("to multiply, write {before}*{text}"))
                    }
                    _ => fault.hint("to multiply, write `*`"),
                }
            }
            Token::Close => Fault::new(self.span, "this parenthesis was never opened"),
            Token::Comma if self.lexer.open == 0 => {
                Fault::new(self.span, "`,` between numbers is not understood here")
                    .hint("the decimal sign is a point: 0.5")
            }
            Token::Prime => Fault::new(self.span, "a derivative cannot be used here")
                .hint("x' stands to the left of `=` only"),
            _ if self.compares() => {
                Fault::new(self.span, "a comparison is not a number").hint("write if(x < 0, a, b)")
            }
            Token::Equals => Fault::new(self.span, "`=` is not understood here")
                .hint("equations are written x' = …; y' = …"),
            _ => Fault::new(self.span, otherwise),
        }
    }
}
