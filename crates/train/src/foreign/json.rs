//! Reading the JSON configurations of others: what is there, what is missing, what is not supported.

use serde_json::Value;

/// The largest count that is believed: products of a few of them stay in range.
const LARGEST: u64 = 1 << 16;

/// An object with the name of its file.
pub(super) struct Json<'a> {
    value: &'a Value,
    file: &'a str,
}

/// A count, unless it is none or too large.
fn whole(v: &Value) -> Option<usize> {
    v.as_u64().filter(|n| *n <= LARGEST).map(|n| n as usize)
}

impl<'a> Json<'a> {
    pub(super) fn new(value: &'a Value, file: &'a str) -> Self {
        Self { value, file }
    }

    /// The value of a key; null counts as missing.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.value.get(key).filter(|v| !v.is_null())
    }

    pub(super) fn text(&self, key: &str, usual: &'static str) -> Result<&'a str, String> {
        match self.get(key) {
            None => Ok(usual),
            Some(v) => v.as_str().ok_or_else(|| self.wrong(key, "a text", v)),
        }
    }

    pub(super) fn count(&self, key: &str, usual: usize) -> Result<usize, String> {
        Ok(self.maybe_count(key)?.unwrap_or(usual))
    }

    pub(super) fn maybe_count(&self, key: &str) -> Result<Option<usize>, String> {
        let found = |v: &Value| {
            whole(v).ok_or_else(|| self.wrong(key, &format!("a whole number up to {LARGEST}"), v))
        };
        self.get(key).map(found).transpose()
    }

    pub(super) fn number(&self, key: &str, usual: f64) -> Result<f64, String> {
        match self.get(key) {
            None => Ok(usual),
            Some(v) => v.as_f64().ok_or_else(|| self.wrong(key, "a number", v)),
        }
    }

    pub(super) fn flag(&self, key: &str, usual: bool) -> Result<bool, String> {
        match self.get(key) {
            None => Ok(usual),
            Some(v) => v
                .as_bool()
                .ok_or_else(|| self.wrong(key, "true or false", v)),
        }
    }

    /// A list of whole numbers, or `None` where there is none.
    pub(super) fn counts(&self, key: &str) -> Result<Option<Vec<usize>>, String> {
        let Some(v) = self.get(key) else {
            return Ok(None);
        };
        let items = v.as_array().into_iter().flatten();
        let found: Option<Vec<usize>> = items.map(whole).collect();
        match found {
            Some(found) if !found.is_empty() => Ok(Some(found)),
            _ => Err(self.wrong(key, &format!("a list of whole numbers up to {LARGEST}"), v)),
        }
    }

    /// A list of texts, or `None` where there is none.
    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<&'a str>>, String> {
        let Some(v) = self.get(key) else {
            return Ok(None);
        };
        let items = v.as_array().into_iter().flatten();
        match items.map(Value::as_str).collect::<Option<Vec<_>>>() {
            Some(found) if !found.is_empty() => Ok(Some(found)),
            _ => Err(self.wrong(key, "a list of names", v)),
        }
    }

    /// Refuses any other value than this one, which it has where the key is missing.
    pub(super) fn only(&self, key: &str, supported: Value) -> Result<(), String> {
        match self.get(key) {
            Some(v) if *v != supported && v.as_f64() != supported.as_f64().or(Some(f64::NAN)) => {
                Err(self.wrong(key, &format!("{supported}, which is what is supported"), v))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn wrong(&self, key: &str, expected: &str, got: &Value) -> String {
        format!("{}: {key}: expected {expected}, got {got}", self.file)
    }
}
