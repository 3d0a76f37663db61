//! Text to tokens.

use super::error::{Fault, Span};

/// A word or sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    /// The text is that of the span.
    Name,
    Plus,
    Minus,
    Star,
    Slash,
    Caret,
    /// An exponent written ², ³, ….
    Power(f64),
    Open,
    Close,
    Comma,
    Semicolon,
    /// The end of a line, outside of parentheses.
    Newline,
    Prime,
    Equals,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    End,
}

/// Whether a name can begin with this character.
pub(super) fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Whether a name can go on with this character: letters, digits, `_` and subscripts.
pub(super) fn continues_name(c: char) -> bool {
    starts_name(c) || c.is_ascii_digit() || ('₀'..='₉').contains(&c)
}

const SUPERSCRIPTS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];

/// Reads tokens from a place in the text on.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// How many parentheses are open: within them, a new line means nothing.
    pub(super) open: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Lexer {
            text,
            at: 0,
            open: 0,
        }
    }

    pub(super) fn text(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// Goes on while the characters are of a kind; says how many bytes they have.
    fn skip(&mut self, kind: impl Fn(char) -> bool) -> usize {
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !kind(c)).unwrap_or(rest.len());
        self.at += length;
        length
    }

    fn accept(&mut self, c: char) -> bool {
        let here = self.peek() == Some(c);
        if here {
            self.at += c.len_utf8();
        }
        here
    }

    pub(super) fn next(&mut self) -> Result<(Token, Span), Fault> {
        let open = self.open;
        self.skip(|c| c.is_whitespace() && (open > 0 || c != '\n'));
        let start = self.at;
        let Some(c) = self.peek() else {
            return Ok((Token::End, Span::new(start, start)));
        };
        let token = if c.is_ascii_digit() || c == '.' {
            self.number()?
        } else if starts_name(c) {
            self.skip(continues_name);
            Token::Name
        } else if SUPERSCRIPTS.contains(&c) {
            self.power()
        } else {
            self.at += c.len_utf8();
            self.sign(c, start)?
        };
        Ok((token, Span::new(start, self.at)))
    }

    fn sign(&mut self, c: char, start: usize) -> Result<Token, Fault> {
        Ok(match c {
            '\n' => Token::Newline,
            '+' => Token::Plus,
            '-' | '−' => Token::Minus,
            '*' if self.accept('*') => Token::Caret,
            '*' | '·' | '⋅' | '×' => Token::Star,
            '/' | '÷' => Token::Slash,
            '^' => Token::Caret,
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            ';' => Token::Semicolon,
            '\'' | '′' | '’' => Token::Prime,
            '<' if self.accept('=') => Token::LessEqual,
            '<' => Token::Less,
            '≤' => Token::LessEqual,
            '>' if self.accept('=') => Token::GreaterEqual,
            '>' => Token::Greater,
            '≥' => Token::GreaterEqual,
            '=' if !self.accept('=') => Token::Equals,
            _ => {
                let span = Span::new(start, self.at);
                let fault = Fault::new(span, format!("`{}` is not understood", self.text(span)));
                return Err(match c {
                    '=' | '!' | '≠' => {
                        fault.hint("equality of real numbers is not asked; use <= or >=")
                    }
                    '|' => fault.hint("the absolute value is abs(…)"),
                    '[' | ']' | '{' | '}' => fault.hint("only ( and ) group"),
                    '√' => fault.hint("the root is sqrt(…)"),
                    '%' => fault.hint("the remainder is a - b*floor(a/b)"),
                    _ => fault,
                });
            }
        })
    }

    /// Digits, a point, digits, an exponent: all but some digits may be left out.
    fn number(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        let digit = |c: char| c.is_ascii_digit();
        let mut digits = self.skip(digit);
        if self.accept('.') {
            digits += self.skip(digit);
        }
        if digits == 0 {
            let span = Span::new(start, self.at);
            return Err(Fault::new(span, "`.` is not a number").hint("write 0.5 or .5"));
        }
        // `2e` is not a number with an exponent, but 2 and a name.
        let before_exponent = self.at;
        if self.accept('e') || self.accept('E') {
            let _ = self.accept('-') || self.accept('−') || self.accept('+');
            if self.skip(digit) == 0 {
                self.at = before_exponent;
            }
        }
        let span = Span::new(start, self.at);
        if self.peek() == Some('.') {
            let dot = Span::new(self.at, self.at + 1);
            return Err(Fault::new(dot, "a second point in a number"));
        }
        let x: f64 = (self.text(span).replace('−', "-"))
            .parse()
            .map_err(|_| Fault::new(span, "this is not a number"))?;
        if x.is_finite() {
            Ok(Token::Number(x))
        } else {
            Err(Fault::new(span, "the number is too large").hint("the largest is 1.79e308"))
        }
    }

    fn power(&mut self) -> Token {
        let mut exponent = 0.0;
        while let Some(digit) = self
            .peek()
            .and_then(|c| SUPERSCRIPTS.iter().position(|s| *s == c))
        {
            exponent = (10.0 * exponent + digit as f64).min(f64::MAX);
            self.at += SUPERSCRIPTS[digit].len_utf8();
        }
        Token::Power(exponent)
    }
}
