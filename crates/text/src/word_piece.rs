//! Words into pieces of a vocabulary.

use std::collections::HashMap;

/// A vocabulary of beginnings of words and of continuations, which have a prefix.
pub(crate) struct WordPiece {
    vocabulary: HashMap<String, u32>,
    prefix: String,
    /// What stands for a word that the vocabulary cannot make.
    unknown: u32,
    /// Longer words are unknown.
    longest: usize,
}

impl WordPiece {
    pub(crate) fn new(
        vocabulary: HashMap<String, u32>,
        prefix: String,
        unknown: u32,
        longest: usize,
    ) -> Self {
        Self {
            vocabulary,
            prefix,
            unknown,
            longest,
        }
    }

    /// The largest number in the vocabulary.
    pub(crate) fn largest(&self) -> u32 {
        self.vocabulary.values().copied().max().unwrap_or(0)
    }

    /// Appends the pieces of a word: each is the longest in the vocabulary that the rest of the word begins with (Wu et
    /// al., *Google's neural machine translation system*, 2016).
    pub(crate) fn cut(&self, word: &str, out: &mut Vec<u32>) {
        let before = out.len();
        if word.chars().count() > self.longest || !self.try_cut(word, out) {
            out.truncate(before);
            out.push(self.unknown);
        }
    }

    fn try_cut(&self, word: &str, out: &mut Vec<u32>) -> bool {
        let mut rest = word;
        let mut piece = String::new();
        while !rest.is_empty() {
            piece.clear();
            if rest.len() < word.len() {
                piece.push_str(&self.prefix);
            }
            let prefix = piece.len();
            piece.push_str(rest);
            let found = loop {
                if let Some(id) = self.vocabulary.get(&piece) {
                    break *id;
                }
                piece.pop();
                if piece.len() <= prefix {
                    return false;
                }
            };
            out.push(found);
            rest = &rest[piece.len() - prefix..];
        }
        true
    }
}
