//! What BERT does to text before it is cut into words.

use unicode_categories::UnicodeCategories;
use unicode_normalization_alignments::UnicodeNormalization;

/// The text without control characters, spaces for all that is white, ideographs apart, accents off, in small letters
/// (Devlin et al., *BERT*, 2019, uncased).
///
/// The tables of Unicode are those of the reference: newer ones would cut some texts otherwise.
pub(crate) fn normal(text: &str) -> String {
    let clean = text.chars().filter(|c| !is_dropped(*c)).map(|c| match c {
        '\t' | '\n' | '\r' => ' ',
        c if c.is_whitespace() => ' ',
        c => c,
    });
    let mut apart = String::with_capacity(text.len());
    for c in clean {
        if is_ideograph(c) {
            apart.extend([' ', c, ' ']);
        } else {
            apart.push(c);
        }
    }
    apart
        .nfd()
        .map(|(c, _)| c)
        .filter(|c| !c.is_mark_nonspacing())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The words of a normalised text: cut at white space, and every mark of punctuation a word of its own.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(char::is_whitespace).flat_map(|run| {
        run.split_inclusive(is_mark).flat_map(|part| {
            let last = part.chars().next_back().filter(|c| is_mark(*c));
            let cut = part.len() - last.map_or(0, char::len_utf8);
            let (word, mark) = part.split_at(cut);
            [word, mark].into_iter().filter(|w| !w.is_empty())
        })
    })
}

/// NUL, the replacement character, and control, format and private characters, but not white space.
fn is_dropped(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\0' | '\u{fffd}' => true,
        c => c.is_other(),
    }
}

fn is_mark(c: char) -> bool {
    c.is_ascii_punctuation() || c.is_punctuation()
}

fn is_ideograph(c: char) -> bool {
    matches!(
        u32::from(c),
        0x4E00..=0x9FFF
            | 0x3400..=0x4DBF
            | 0x20000..=0x2A6DF
            | 0x2A700..=0x2B73F
            | 0x2B740..=0x2B81F
            | 0x2B920..=0x2CEAF
            | 0xF900..=0xFAFF
            | 0x2F800..=0x2FA1F
    )
}
