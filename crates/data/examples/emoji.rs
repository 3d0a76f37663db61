//! Colour emoji with captions, from three npm packages. `scripts/emoji.sh` fetches them and runs this:
//!
//! ```text
//! cargo run --release -p fokker-data --example emoji -- PACKAGES data/emoji [--skin-tones]
//! cargo run --release -p fokker-data --example emoji -- PACKAGES --embed crates/data/assets/emoji
//! ```
//!
//! PACKAGES holds emoji-datasource-google, emoji-datasource-twitter and unicode-emoji-json, unpacked. The first line writes the
//! pictures of both styles, `captions.jsonl` and `unseen.jsonl`; the second the asset behind `fokker_data::emoji`.
//!
//! Unseen are the names at places 14, 43, 72, … (every 29th) of the list: the first of them in Google's style, the next in
//! Twitter's, and so on. Each of these names is seen in the other style. Variants by skin tone go with their name.

#![allow(clippy::print_stderr)] // says what was written

mod paeth;

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use fokker_data::{Dataset, EMOJI_STYLES, FolderOptions, Shape, read_captions};
use paeth::residual;
use serde_json::{Value, json};

type Fault = Box<dyn Error>;

/// Every so many names one style is left out, beginning with half as many.
const EVERY: usize = 29;

/// How many of each group the embedded set has.
const EMBEDDED: [(&str, usize); 7] = [
    ("Smileys & Emotion", 48),
    ("Animals & Nature", 40),
    ("Food & Drink", 36),
    ("Travel & Places", 24),
    ("Objects", 28),
    ("Symbols", 12),
    ("Activities", 12),
];

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let given: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match given[..] {
        [packages, "--embed", out] => embed(Path::new(packages), Path::new(out)),
        [packages, out] => folder(Path::new(packages), Path::new(out), false),
        [packages, out, "--skin-tones"] => folder(Path::new(packages), Path::new(out), true),
        _ => Err("give the folder of the packages and the folder to write".into()),
    }
}

/// An emoji in the order of the keyboard.
struct Emoji {
    name: String,
    group: String,
    /// How old it is: the version of the standard.
    version: f64,
    image: String,
    /// Names and files of its variants by skin tone.
    tones: Vec<(String, String)>,
}

fn read(path: PathBuf) -> Result<Value, Fault> {
    let bytes = fs::read(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Code points without the mark that asks for a picture, as `2764`.
fn key(codes: impl Iterator<Item = String>) -> String {
    codes.filter(|c| c != "FE0F").collect::<Vec<_>>().join("-")
}

fn tone(codes: &str) -> String {
    let name = |code: &str| match code {
        "1F3FB" => "light",
        "1F3FC" => "medium-light",
        "1F3FD" => "medium",
        "1F3FE" => "medium-dark",
        _ => "dark",
    };
    let tones: Vec<&str> = codes.split('-').map(name).collect();
    format!("{} skin tone", tones.join(" and "))
}

/// The emoji that both packages have a picture of.
fn list(packages: &Path) -> Result<Vec<Emoji>, Fault> {
    let names = read(packages.join("unicode-emoji-json/data-by-emoji.json"))?;
    let names: HashMap<String, &Value> = names
        .as_object()
        .ok_or("names are an object")?
        .iter()
        .map(|(e, about)| {
            (
                key(e.chars().map(|c| format!("{:04X}", u32::from(c)))),
                about,
            )
        })
        .collect();
    let data = read(packages.join("emoji-datasource-google/emoji.json"))?;
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let drawn = |value: &Value| value["has_img_google"] == true && value["has_img_twitter"] == true;
    let mut found = Vec::new();
    for entry in data.as_array().ok_or("emoji.json is a list")? {
        let code = key(text(entry, "unified").split('-').map(str::to_owned));
        // The five skin tones themselves have no name.
        let Some(about) = names.get(&code).filter(|_| drawn(entry)) else {
            continue;
        };
        let name = text(about, "name");
        let variants = entry["skin_variations"].as_object().into_iter().flatten();
        let mut tones: Vec<(String, String)> = variants
            .filter(|(_, v)| drawn(v))
            .map(|(codes, v)| (format!("{name}: {}", tone(codes)), text(v, "image")))
            .collect();
        tones.sort();
        let place = entry["sort_order"].as_u64().unwrap_or(0);
        let emoji = Emoji {
            group: text(about, "group"),
            version: text(about, "emoji_version").parse()?,
            image: text(entry, "image"),
            name,
            tones,
        };
        found.push((emoji.group.clone(), place, emoji));
    }
    found.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    Ok(found.into_iter().map(|(.., emoji)| emoji).collect())
}

fn picture(packages: &Path, style: &str, image: &str) -> PathBuf {
    packages.join(format!("emoji-datasource-{style}/img/{style}/64/{image}"))
}

fn folder(packages: &Path, out: &Path, tones: bool) -> Result<(), Fault> {
    let (mut seen, mut unseen) = (String::new(), String::new());
    for style in EMOJI_STYLES {
        fs::create_dir_all(out.join(style))?;
    }
    for (k, emoji) in list(packages)?.iter().enumerate() {
        let left_out = (k % EVERY == EVERY / 2).then(|| EMOJI_STYLES[k / EVERY % 2]);
        let mut all = vec![(&emoji.name, &emoji.image)];
        if tones {
            all.extend(emoji.tones.iter().map(|(name, image)| (name, image)));
        }
        for (name, image) in all {
            for style in EMOJI_STYLES {
                let file = format!("{style}/{image}");
                fs::copy(picture(packages, style, image), out.join(&file))?;
                let line = json!({"file": file, "text": format!("{name}, {style} style")});
                let to = if left_out == Some(style) {
                    &mut unseen
                } else {
                    &mut seen
                };
                writeln!(to, "{line}")?;
            }
        }
    }
    fs::write(out.join("captions.jsonl"), &seen)?;
    fs::write(out.join("unseen.jsonl"), &unseen)?;
    fs::write(out.join("LICENSES.txt"), LICENSES)?;
    let lines = |text: &str| text.lines().count();
    eprintln!(
        "{}: {} captions, {} unseen",
        out.display(),
        lines(&seen),
        lines(&unseen)
    );
    Ok(())
}

const LICENSES: &str = "\
google/: Noto Emoji, (c) Google, Apache License 2.0, https://github.com/googlefonts/noto-emoji
twitter/: Twemoji, (c) Twitter, Inc and other contributors, CC-BY 4.0, https://github.com/jdecked/twemoji
Both as in the npm packages emoji-datasource-google and emoji-datasource-twitter (MIT); names are CLDR's, as in the npm package
unicode-emoji-json (MIT).
";

/// Of every group as many as wanted, evenly, among those that have been there since the beginning.
fn chosen(all: &[Emoji]) -> Vec<&Emoji> {
    EMBEDDED
        .iter()
        .flat_map(|(group, count)| {
            let old: Vec<&Emoji> = all
                .iter()
                .filter(|e| e.group == *group && e.version <= 1.0)
                .collect();
            (0..*count)
                .map(move |i| old[(2 * i + 1) * old.len() / (2 * count)])
                .collect::<Vec<_>>()
        })
        .collect()
}

fn embed(packages: &Path, out: &Path) -> Result<(), Fault> {
    let all = list(packages)?;
    let chosen = chosen(&all);
    let work = out.join("work.tmp");
    fs::create_dir_all(&work)?;
    let mut captions = String::new();
    for emoji in &chosen {
        for style in EMOJI_STYLES {
            let file = format!("{style}-{}", emoji.image);
            fs::copy(picture(packages, style, &emoji.image), work.join(&file))?;
            writeln!(captions, "{}", json!({"file": file, "text": file}))?;
        }
    }
    fs::write(work.join("captions.jsonl"), captions)?;
    let options = FolderOptions {
        size: Some((32, 32)),
        ..FolderOptions::default()
    };
    let set = read_captions(&work, "captions.jsonl", options)?;
    let Shape::Image { width, height, .. } = set.shape() else {
        return Err("pictures are images".into());
    };
    let plane = width * height;
    // No time stamp and no name, so that the same images make the same file.
    let mut zip = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::best());
    for image in set
        .bytes()
        .ok_or("pictures are bytes")?
        .chunks_exact(3 * plane)
    {
        let coarse: Vec<u8> = image.iter().map(|v| v >> 2).collect();
        let [red, green, blue] = [0, 1, 2].map(|c| &coarse[c * plane..][..plane]);
        let beyond = |c: &[u8]| -> Vec<u8> {
            c.iter()
                .zip(green)
                .map(|(c, g)| c.wrapping_sub(*g))
                .collect()
        };
        for values in [green.to_vec(), beyond(red), beyond(blue)] {
            zip.write_all(&residual(&values, width))?;
        }
    }
    fs::remove_dir_all(work)?;
    let bytes = zip.finish()?;
    let names: Vec<&str> = chosen.iter().map(|e| e.name.as_str()).collect();
    fs::write(out.join("emoji.gz"), &bytes)?;
    fs::write(out.join("names.txt"), names.join("\n") + "\n")?;
    eprintln!("{} emoji, {} bytes", 2 * chosen.len(), bytes.len());
    Ok(())
}
