//! The grammar: `name[:key=value[,key=value]…]`, where a value is a number or a list
//! `[value, …]`.

use super::Fault;

/// A value and the byte where it begins.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Number(f64),
    List(Vec<Value>),
}

/// `key=value`, and the byte where it begins.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) at: usize,
    pub(super) key: &'a str,
    pub(super) value: Value,
}

/// Lists in lists in lists are enough for a list of matrices.
const DEPTH: usize = 3;

pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, at: 0 }
    }

    /// The next character that is not a space.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    /// Steps over `c`, if it is next.
    fn take(&mut self, c: char) -> bool {
        let is = self.peek() == Some(c);
        if is {
            self.at += c.len_utf8();
        }
        is
    }

    /// Letters, digits and the signs of numbers and names, up to anything else; perhaps none.
    pub(super) fn word(&mut self) -> (usize, &'a str) {
        self.peek();
        let (text, start) = (self.text, self.at);
        let rest = &text[start..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || "+-._".contains(c)))
            .unwrap_or(rest.len());
        self.at += end;
        (start, &rest[..end])
    }

    /// What is next, in words.
    fn found(&mut self) -> String {
        self.peek().map_or_else(
            || "the text ends".into(),
            |c| format!("found `{}`", c.escape_debug()),
        )
    }

    /// Everything after the name.
    pub(super) fn entries(&mut self) -> Result<Vec<Entry<'a>>, Fault> {
        let mut entries = Vec::new();
        if self.peek().is_none() {
            return Ok(entries);
        }
        if !self.take(':') {
            let message = format!("expected `:` and parameters, {}", self.found());
            return Err(Fault::new(self.at, message));
        }
        loop {
            let (at, key) = self.word();
            if key.is_empty() || !self.take('=') {
                let message = format!("expected a parameter, `name=value`, {}", self.found());
                return Err(Fault::new(self.at, message));
            }
            let value = self.value(0)?;
            entries.push(Entry { at, key, value });
            if self.peek().is_none() {
                return Ok(entries);
            }
            if !self.take(',') {
                let message = format!("expected `,` or the end, {}", self.found());
                return Err(Fault::new(self.at, message));
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Fault> {
        self.peek();
        let at = self.at;
        if !self.take('[') {
            return self.number();
        }
        if depth == DEPTH {
            return Err(Fault::new(at, format!("lists go at most {DEPTH} deep")));
        }
        let mut list = Vec::new();
        loop {
            list.push(self.value(depth + 1)?);
            if self.take(']') {
                let kind = Kind::List(list);
                return Ok(Value { at, kind });
            }
            if !self.take(',') {
                let message = format!("expected `,` or `]`, {}", self.found());
                return Err(Fault::new(self.at, message));
            }
        }
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let (at, word) = self.word();
        if word.is_empty() {
            let message = format!("expected a number or a list `[…]`, {}", self.found());
            return Err(Fault::new(self.at, message));
        }
        match word.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value {
                at,
                kind: Kind::Number(number),
            }),
            Ok(number) => {
                let message = format!("a number must be finite, `{word}` is {number}");
                Err(Fault::new(at, message))
            }
            Err(_) => {
                let message = format!("`{word}` is not a number, write it as -1.5 or 2e-3");
                Err(Fault::new(at, message))
            }
        }
    }
}
