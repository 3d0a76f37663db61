//! The encoder beside its reference: a small one that lies here, and the real one where it is installed.

#![allow(clippy::print_stderr)] // a skipped test says why

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use fokker_text::{Package, SentenceEncoder, TextError, Tokenizer, VARIABLE};
use serde::Deserialize;

#[derive(Deserialize)]
struct Cut {
    text: String,
    ids: Vec<u32>,
}

#[derive(Deserialize)]
struct Small {
    text: String,
    ids: Vec<u32>,
    /// Of the first three tokens.
    tokens: Vec<f64>,
    pooled: Vec<f64>,
}

#[derive(Deserialize)]
struct Real {
    text: String,
    count: usize,
    pooled: Vec<f64>,
    /// Of the second token.
    second: Vec<f64>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn read<T: for<'a> Deserialize<'a>>(name: &str) -> Vec<T> {
    let text = std::fs::read_to_string(fixtures().join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn small() -> Package {
    Package::open(&fixtures().join("small")).unwrap()
}

/// The real encoder, or `None` with a message where it is not installed.
fn real() -> Option<Package> {
    match Package::find(None) {
        Ok(package) => Some(package),
        Err(TextError::Absent { what, .. }) => {
            eprintln!("skipped: {what}; set {VARIABLE}");
            None
        }
        Err(fault) => panic!("{fault}"),
    }
}

fn error(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let far = |(g, w): (&f32, &f64)| (f64::from(*g) - w).abs();
    got.iter().zip(want).map(far).fold(0.0, f64::max)
}

fn cuts_as(name: &str, package: &Package) {
    let tokenizer = Tokenizer::load(package).unwrap();
    let cases: Vec<Cut> = read(name);
    assert!(cases.len() > 250);
    for Cut { text, ids } in cases {
        assert_eq!(tokenizer.tokens(&text), ids, "{text:?}");
    }
}

#[test]
fn a_small_tokenizer_cuts_as_the_reference() {
    cuts_as("small_tokens.json", &small());
}

#[test]
fn the_real_tokenizer_cuts_as_the_reference() {
    if let Some(package) = real() {
        cuts_as("minilm_tokens.json", &package);
    }
}

#[test]
fn a_small_encoder_is_the_reference() {
    let encoder = SentenceEncoder::load(&small(), &Device::flex()).unwrap();
    let cases: Vec<Small> = read("small.json");
    let texts: Vec<&str> = cases.iter().map(|c| c.text.as_str()).collect();
    let mut worst = 0.0_f64;
    for (case, got) in cases.iter().zip(encoder.encode(&texts)) {
        assert_eq!(
            encoder.tokenizer().tokens(&case.text),
            case.ids,
            "{:?}",
            case.text
        );
        assert_eq!(got.tokens.len(), case.ids.len() * encoder.width());
        let tokens = error(&got.tokens[..case.tokens.len()], &case.tokens);
        worst = worst.max(tokens).max(error(&got.pooled, &case.pooled));
    }
    assert!(worst < 1e-5, "{worst:e}");
}

#[test]
fn sentence_embeddings_are_those_of_the_reference() {
    let Some(package) = real() else { return };
    let encoder = SentenceEncoder::load(&package, &Device::flex()).unwrap();
    assert_eq!(encoder.width(), 384);
    let cases: Vec<Real> = read("minilm.json");
    let texts: Vec<&str> = cases.iter().map(|c| c.text.as_str()).collect();
    let (mut sentences, mut tokens) = (0.0_f64, 0.0_f64);
    for (case, got) in cases.iter().zip(encoder.encode(&texts)) {
        assert_eq!(got.tokens.len(), case.count * 384, "{:?}", case.text);
        sentences = sentences.max(error(&got.pooled, &case.pooled));
        tokens = tokens.max(error(&got.tokens[384..768], &case.second));
    }
    eprintln!("largest error: {sentences:.2e} of sentences, {tokens:.2e} of tokens");
    assert!(sentences < 1e-5, "{sentences:e}");
    assert!(tokens < 2e-5, "{tokens:e}");
}

#[test]
fn a_text_does_not_depend_on_its_company() {
    let encoder = SentenceEncoder::load(&small(), &Device::flex()).unwrap();
    let texts: Vec<String> = (0..70)
        .map(|i| format!("{} red heart", "cat ".repeat(i % 9)))
        .collect();
    let together = encoder.encode(&texts);
    for i in [0, 8, 33, 69] {
        assert_eq!(encoder.encode(&texts[i..=i])[0], together[i]);
    }
}

#[test]
fn a_sentence_has_length_one() {
    let encoder = SentenceEncoder::load(&small(), &Device::flex()).unwrap();
    for text in encoder.encode(&["", "cat", "a red heart"]) {
        let norm: f32 = text.pooled.iter().map(|v| v * v).sum();
        assert!((norm - 1.0).abs() < 1e-6, "{norm}");
    }
}
