//! What is wrong with an expression, and where.

use std::fmt;

/// A range of bytes in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Span { start, end }
    }

    /// From the start of this span to the end of another.
    pub(super) fn to(self, other: Span) -> Self {
        Span::new(self.start, other.end)
    }
}

/// A mistake in an expression or in what is given with it. Its `Display` points at the character:
///
/// ```text
/// unknown name `thta` in the drift
///   -thta*x
///    ^^^^ did you mean `theta`?
/// known names: x, t, theta
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError {
    /// What is wrong.
    pub message: Box<str>,
    /// What the text is: "the drift".
    pub place: Box<str>,
    /// The text as it was given.
    pub text: Box<str>,
    /// The bytes of `text` that are wrong.
    pub span: Span,
    /// What would be right, in a few words.
    pub hint: Option<Box<str>>,
    /// More, on a line of its own.
    pub note: Option<Box<str>>,
}

impl std::error::Error for ExprError {}

/// An [`ExprError`] before it is known which text it is about.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) note: Option<String>,
}

impl Fault {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Fault {
            span,
            message: message.into(),
            hint: None,
            note: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    pub(super) fn of(self, place: &str, text: &str) -> ExprError {
        ExprError {
            message: self.message.into(),
            place: place.into(),
            text: text.into(),
            span: self.span,
            hint: self.hint.map(Into::into),
            note: self.note.map(Into::into),
        }
    }
}

/// The most characters of a line that are shown before and after the mistake.
const SHOWN: usize = 60;

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { start, end } = self.span;
        let line_start = self.text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = self.text[start..]
            .find('\n')
            .map_or(self.text.len(), |i| start + i);
        let (before, rest) = self.text[line_start..line_end].split_at(start - line_start);
        let wrong = rest[..end.clamp(start, line_end) - start].chars().count();

        let skipped = before.chars().count().saturating_sub(SHOWN);
        let left: String = before.chars().skip(skipped).collect();
        let right: String = rest.chars().take(SHOWN).collect();
        let (open, close) = (
            if skipped > 0 { "…" } else { "" },
            if right.len() < rest.len() { "…" } else { "" },
        );
        let column = open.chars().count() + left.chars().count();
        let shown = format!("{open}{left}{right}{close}").replace(char::is_control, " ");

        writeln!(f, "{} in {}", self.message, self.place)?;
        writeln!(f, "  {shown}")?;
        write!(f, "  {:column$}{}", "", "^".repeat(wrong.clamp(1, SHOWN)))?;
        if let Some(hint) = &self.hint {
            write!(f, " {hint}")?;
        }
        match &self.note {
            Some(note) => write!(f, "\n{note}"),
            None => Ok(()),
        }
    }
}
