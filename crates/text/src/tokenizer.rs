//! Text to token numbers.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::normal::{normal, words};
use crate::word_piece::WordPiece;
use crate::{Package, TextError};

/// The most tokens of a text, `[CLS]` and `[SEP]` among them; what comes after is left out, as the reference does.
pub const MAX_TOKENS: usize = 256;

/// BERT's uncased WordPiece tokenizer, as `tokenizer.json` describes it.
pub struct Tokenizer {
    pieces: WordPiece,
    /// Texts that are tokens as they stand, such as `[MASK]`.
    literal: Vec<(String, u32)>,
    first: u32,
    last: u32,
}

#[derive(Deserialize)]
struct File {
    added_tokens: Vec<Added>,
    normalizer: Value,
    pre_tokenizer: Value,
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
}

#[derive(Deserialize)]
struct Model {
    unk_token: String,
    continuing_subword_prefix: String,
    max_input_chars_per_word: usize,
    vocab: HashMap<String, u32>,
}

impl Tokenizer {
    /// The tokenizer of a package.
    ///
    /// # Errors
    /// A `tokenizer.json` that is not readable, or describes another kind of tokenizer.
    pub fn load(package: &Package) -> Result<Self, TextError> {
        let refuse = |what: String| TextError::file(&package.tokenizer_path(), what);
        let file: File = serde_json::from_slice(&package.tokenizer)
            .map_err(|e| refuse(format!("no readable WordPiece tokenizer ({e})")))?;
        let normalizer = &file.normalizer;
        let strips = normalizer["strip_accents"].as_bool().unwrap_or(true);
        let flags = ["clean_text", "handle_chinese_chars", "lowercase"];
        let uncased = flags.iter().all(|f| normalizer[*f] == true) && strips;
        let kinds = [&normalizer["type"], &file.pre_tokenizer["type"]];
        if kinds != ["BertNormalizer", "BertPreTokenizer"] || !uncased {
            return Err(refuse("expected BERT's uncased tokenizer".into()));
        }
        let model = file.model;
        let id = |token: &str| {
            let found = model.vocab.get(token).copied();
            found.ok_or_else(|| refuse(format!("its vocabulary has no {token}")))
        };
        let (unknown, first, last) = (id(&model.unk_token)?, id("[CLS]")?, id("[SEP]")?);
        let literal = file.added_tokens.into_iter().map(|t| (t.content, t.id));
        Ok(Self {
            literal: literal.filter(|(text, _)| !text.is_empty()).collect(),
            first,
            last,
            pieces: WordPiece::new(
                model.vocab,
                model.continuing_subword_prefix,
                unknown,
                model.max_input_chars_per_word,
            ),
        })
    }

    /// The largest number that a token can have.
    pub(crate) fn largest(&self) -> u32 {
        let literal = self.literal.iter().map(|(_, id)| *id).max();
        self.pieces.largest().max(literal.unwrap_or(0))
    }

    /// The token numbers of a text, from `[CLS]` to `[SEP]`, at most [`MAX_TOKENS`].
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        let room = MAX_TOKENS - 1;
        let mut out = vec![self.first];
        let mut rest = text;
        while out.len() < room {
            let (before, literal) = self.next_literal(rest);
            for word in words(&normal(before)) {
                self.pieces.cut(word, &mut out);
                if out.len() >= room {
                    break;
                }
            }
            let Some((token, length)) = literal else {
                break;
            };
            out.push(token);
            rest = &rest[before.len() + length..];
        }
        out.truncate(room);
        out.push(self.last);
        out
    }

    /// The text before the first literal token, and that token with its length.
    fn next_literal<'a>(&self, text: &'a str) -> (&'a str, Option<(u32, usize)>) {
        let places = self.literal.iter().filter_map(|(literal, id)| {
            let at = text.find(literal.as_str())?;
            // Of two at one place the longer.
            Some((at, usize::MAX - literal.len(), *id, literal.len()))
        });
        match places.min() {
            None => (text, None),
            Some((at, _, id, length)) => (&text[..at], Some((id, length))),
        }
    }
}
