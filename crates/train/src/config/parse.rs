//! TOML text and `key=value` overrides into a [`Config`], with answers that say where and what.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::{Config, Training};
use crate::TrainError;

const SECTIONS: [&str; 13] = [
    "data",
    "source",
    "latent",
    "network",
    "vae",
    "path",
    "coupling",
    "objective",
    "optimizer",
    "schedule",
    "ema",
    "train",
    "sample",
];

impl Config {
    /// Reads a recipe. `origin` names the text in messages; `overrides` are `section.key=value`.
    ///
    /// # Errors
    /// TOML that does not parse, unknown sections and keys (with the nearest known name), values of
    /// another type, and values that make no sense.
    pub fn parse(text: &str, origin: &str, overrides: &[String]) -> Result<Self, TrainError> {
        let source = Source {
            text,
            origin,
            overrides,
        };
        let mut table: Table = text
            .parse()
            .map_err(|e: toml::de::Error| TrainError::Config(format!("{origin}: {e}")))?;
        for item in overrides {
            set(&mut table, item)?;
        }
        let name = match table.remove("name") {
            None => return Err(source.error("name", "name is missing: give the run a name")),
            Some(Value::String(name)) => name,
            Some(other) => return Err(source.wrong("name", "a string", &other)),
        };
        let seed = match table.remove("seed") {
            None => 0,
            Some(Value::Integer(seed)) if seed >= 0 => seed as u64,
            Some(other) => return Err(source.wrong("seed", "an integer, 0 or more", &other)),
        };
        if let Some(key) = table.keys().find(|k| !SECTIONS.contains(&k.as_str())) {
            let known = SECTIONS.iter().chain(&["name", "seed"]);
            let text = format!("unknown section or key `{key}`{}", suggest(key, known));
            return Err(source.error(key, &text));
        }
        for required in ["data", "network"] {
            if !table.contains_key(required) {
                let text = format!("section [{required}] is missing");
                return Err(source.error(required, &text));
            }
        }
        let [start, latent, vae] = ["source", "latent", "vae"].map(|s| table.contains_key(s));
        let mut config = Self {
            name,
            seed,
            data: source.section(&mut table, "data")?,
            source: start
                .then(|| source.section(&mut table, "source"))
                .transpose()?,
            latent: latent
                .then(|| source.section(&mut table, "latent"))
                .transpose()?,
            network: source.section(&mut table, "network")?,
            vae: None,
            path: source.section(&mut table, "path")?,
            coupling: source.section(&mut table, "coupling")?,
            objective: source.section(&mut table, "objective")?,
            training: Training {
                optimizer: source.section(&mut table, "optimizer")?,
                schedule: source.section(&mut table, "schedule")?,
                ema: source.section(&mut table, "ema")?,
                train: source.section(&mut table, "train")?,
            },
            sample: source.section(&mut table, "sample")?,
        };
        if config.is_autoencoder() {
            config.vae = Some(source.section(&mut table, "vae")?);
        } else if vae {
            let text = "[vae] is about the loss of an autoencoder: network.kind = \"vae\"";
            return Err(source.error("vae", text));
        }
        config.path.fill(start);
        config
            .check()
            .map_err(|(key, what)| source.error(&key, &format!("{key}: {what}")))?;
        Ok(config)
    }
}

/// Sets `section.key=value` in the table; the value is TOML, or else a string.
fn set(table: &mut Table, item: &str) -> Result<(), TrainError> {
    let refuse = |what: &str| TrainError::Config(format!("--set {item}: {what}"));
    let (path, value) = item
        .split_once('=')
        .ok_or_else(|| refuse("expected section.key=value"))?;
    let (path, value) = (path.trim(), value.trim());
    let value = format!("v = {value}")
        .parse::<Table>()
        .ok()
        .and_then(|mut t| t.remove("v"))
        .unwrap_or_else(|| Value::String(value.to_owned()));
    let mut parts: Vec<&str> = path.split('.').collect();
    let last = parts.pop().filter(|p| !p.is_empty());
    let last = last.ok_or_else(|| refuse("expected section.key=value"))?;
    let mut at = table;
    for part in parts {
        at = at
            .entry(part)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()
            .ok_or_else(|| refuse(&format!("`{part}` is a value, not a section")))?;
    }
    at.insert(last.to_owned(), value);
    Ok(())
}

/// ": did you mean `x`?", or the list of what is known.
fn suggest<'a>(wrong: &str, known: impl Iterator<Item = &'a &'a str> + Clone) -> String {
    let near = known
        .clone()
        .map(|k| (strsim::damerau_levenshtein(wrong, k), *k))
        .min();
    match near {
        Some((distance, name)) if distance <= 2.max(wrong.len() / 3) => {
            format!("; did you mean `{name}`?")
        }
        None => "; this kind takes no other keys".into(),
        _ => {
            let names: Vec<String> = known.map(|k| format!("`{k}`")).collect();
            format!("; known are {}", names.join(", "))
        }
    }
}

/// serde's names of types as a person says them.
fn plain_words(message: &str) -> String {
    let words = [
        ("u64", "a whole number, 0 or more"),
        ("usize", "a whole number, 0 or more"),
        ("f64", "a number"),
        ("an array of length 2", "a list of 2"),
    ];
    words.iter().fold(message.to_owned(), |text, (from, to)| {
        text.replace(from, to)
    })
}

struct Source<'a> {
    text: &'a str,
    origin: &'a str,
    overrides: &'a [String],
}

impl Source<'_> {
    fn section<T: DeserializeOwned>(&self, table: &mut Table, name: &str) -> Result<T, TrainError> {
        let value = table
            .remove(name)
            .unwrap_or_else(|| Value::Table(Table::new()));
        let Value::Table(section) = &value else {
            return Err(self.wrong(name, "a section", &value));
        };
        let keys: Vec<String> = section.keys().cloned().collect();
        let section = section.clone();
        value
            .try_into()
            .map_err(|e: toml::de::Error| self.explain::<T>(name, &keys, &section, e.message()))
    }

    /// Turns serde's words about a section into ours: which key, and what was probably meant.
    fn explain<T: DeserializeOwned>(
        &self,
        section: &str,
        keys: &[String],
        table: &Table,
        message: &str,
    ) -> TrainError {
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let known: Vec<&str> = quoted.iter().skip(1).copied().collect();
        let at = |key: &str, what: String| {
            let key = format!("{section}.{key}");
            self.error(&key, &format!("{key}: {what}"))
        };
        if message.starts_with("unknown field") && !quoted.is_empty() {
            let text = format!("unknown key{}", suggest(quoted[0], known.iter()));
            return at(quoted[0], text);
        }
        if message.starts_with("unknown variant") && !quoted.is_empty() {
            let holder = keys
                .iter()
                .find(|k| table[k.as_str()].as_str() == Some(quoted[0]));
            let key = holder.map_or("kind", String::as_str);
            let text = format!(
                "unknown value \"{}\"{}",
                quoted[0],
                suggest(quoted[0], known.iter())
            );
            return at(key, text);
        }
        if message.starts_with("missing field") && !quoted.is_empty() {
            return at(quoted[0], "this key is missing".into());
        }
        // A wrong type: the key is the one without which the section reads.
        for key in keys.iter().filter(|k| *k != "kind") {
            let mut rest = table.clone();
            let value = rest.remove(key);
            let read: Result<T, toml::de::Error> = Value::Table(rest).try_into();
            let now_missing =
                |e: &toml::de::Error| e.message().starts_with(&format!("missing field `{key}`"));
            if read.is_ok() || read.as_ref().err().is_some_and(now_missing) {
                let got = value.map(|v| v.to_string()).unwrap_or_default();
                return at(key, format!("{} (got {got})", plain_words(message)));
            }
        }
        self.error(section, &format!("[{section}]: {message}"))
    }

    fn wrong(&self, key: &str, expected: &str, got: &Value) -> TrainError {
        let got = got.to_string();
        self.error(key, &format!("{key}: expected {expected}, got {got}"))
    }

    /// "file:line: text", with the line of `section.key` where the file has it.
    fn error(&self, key: &str, text: &str) -> TrainError {
        let sets = |item: &&String| {
            item.split('=')
                .next()
                .is_some_and(|path| path.trim() == key)
        };
        if let Some(item) = self.overrides.iter().rev().find(sets) {
            return TrainError::Config(format!("--set {item}: {text}"));
        }
        let line = self.line_of(key);
        let line = line.map(|l| format!(":{l}")).unwrap_or_default();
        TrainError::Config(format!("{}{line}: {text}", self.origin))
    }

    fn line_of(&self, key: &str) -> Option<usize> {
        let (section, key) = key.rsplit_once('.').unwrap_or(("", key));
        let mut current = String::new();
        for (i, line) in self.text.lines().enumerate() {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[') {
                current = header.split(']').next().unwrap_or("").trim().to_owned();
                if section.is_empty() && current == key {
                    return Some(i + 1);
                }
                continue;
            }
            let name = line.split('=').next().unwrap_or("").trim();
            if (current == section && name == key) || name == format!("{section}.{key}") {
                return Some(i + 1);
            }
        }
        None
    }
}
