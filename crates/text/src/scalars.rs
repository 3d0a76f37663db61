use std::f64::consts::PI;

use fokker_nn::layers::EncodedText;
use serde::{Deserialize, Serialize};

use crate::TextError;

/// A number that a model is told, such as an angle or a temperature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scalar {
    /// What it is called in captions.
    pub name: String,
    /// Its least value.
    pub from: f64,
    /// Its largest.
    pub to: f64,
    /// Are the two ends the same, as of an angle?
    #[serde(default)]
    pub periodic: bool,
}

/// Functions of a scalar at most: with more, what the data leave open between two values would be anything.
const FUNCTIONS: usize = 8;

impl Scalar {
    /// Function j of the value u in [0, 1].
    fn function(&self, j: usize, u: f64) -> f64 {
        match (self.periodic, j % 2) {
            (false, _) => (PI * j as f64 * u).cos(),
            (true, 0) => (PI * j as f64 * u).cos(),
            (true, _) => (PI * (j + 1) as f64 * u).sin(),
        }
    }
}

/// Captions such as `"angle = 30, size = 1.2"` to vectors: every scalar has a token of its own, and the pooled vector is the sum of the
/// tokens.
///
/// With u = (value − from)/(to − from) in [0, 1] the token of scalar k of K holds, from place k ⌊W/K⌋ on, the first functions of the
/// cosine series on [0, 1], cos(π j u), or of a periodic scalar those of the Fourier series, 1, sin 2πu, cos 2πu, sin 4πu …: 8 of them,
/// or ⌊W/K⌋ where that is less. The rest is zeros. Linear maps of a token are therefore the smooth functions of its scalar, which is what
/// is wanted between the values of the data.
#[derive(Clone, Debug)]
pub struct ScalarEncoder {
    scalars: Vec<Scalar>,
    width: usize,
}

impl ScalarEncoder {
    /// For these scalars and vectors of W = `width` numbers.
    ///
    /// # Errors
    /// No scalar, names that are empty, not distinct or hold `=` or `,`, empty ranges, less than two numbers for each.
    pub fn new(scalars: Vec<Scalar>, width: usize) -> Result<Self, TextError> {
        let refuse = |what: String| Err(TextError::Scalars { what });
        if scalars.is_empty() || width < 2 * scalars.len() {
            let least = 2 * scalars.len().max(1);
            return refuse(format!(
                "{} of them want vectors of at least {least} numbers, got {width}",
                scalars.len()
            ));
        }
        for (k, scalar) in scalars.iter().enumerate() {
            let Scalar { name, from, to, .. } = scalar;
            if name.trim() != name || name.is_empty() || name.contains(['=', ',']) {
                return refuse(format!(
                    "expected a name without '=', ',' and spaces around it, got {name:?}"
                ));
            }
            if scalars[..k].iter().any(|s| s.name == *name) {
                return refuse(format!("{name} is there twice"));
            }
            if !((to - from).is_finite() && from < to) {
                return refuse(format!("{name}: expected from < to, got {from} and {to}"));
            }
        }
        Ok(Self { scalars, width })
    }

    /// Numbers of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The vectors of a caption that gives every scalar once, in any order.
    ///
    /// # Errors
    /// Anything else, and values out of range.
    pub fn encode(&self, caption: &str) -> Result<EncodedText, TextError> {
        let values = self.values(caption)?;
        let each = self.width / self.scalars.len();
        let mut tokens = vec![0.0; self.scalars.len() * self.width];
        let mut pooled = vec![0.0; self.width];
        for (k, (scalar, value)) in self.scalars.iter().zip(values).enumerate() {
            let u = (value - scalar.from) / (scalar.to - scalar.from);
            let place = k * each;
            for j in 0..each.min(FUNCTIONS) {
                let feature = scalar.function(j, u) as f32;
                tokens[k * self.width + place + j] = feature;
                pooled[place + j] = feature;
            }
        }
        Ok(EncodedText { tokens, pooled })
    }

    fn values(&self, caption: &str) -> Result<Vec<f64>, TextError> {
        let refuse = |what: String| {
            Err(TextError::Caption {
                text: caption.to_owned(),
                what: format!("{what}; right would be \"{}\"", self.example()),
            })
        };
        let mut values = vec![None; self.scalars.len()];
        for part in caption.split(',') {
            let Some((name, value)) = part.split_once('=') else {
                return refuse(format!("\"{}\" is no name = number", part.trim()));
            };
            let (name, value) = (name.trim(), value.trim());
            let Some(k) = self.scalars.iter().position(|s| s.name == name) else {
                return refuse(format!("there is no scalar \"{name}\""));
            };
            let Scalar { from, to, .. } = self.scalars[k];
            match value.parse::<f64>() {
                Ok(v) if (from..=to).contains(&v) => {
                    if values[k].replace(v).is_some() {
                        return refuse(format!("{name} is there twice"));
                    }
                }
                _ => {
                    return refuse(format!(
                        "{name}: expected a number from {from} to {to}, got \"{value}\""
                    ));
                }
            }
        }
        let missing = values.iter().position(Option::is_none);
        match missing {
            Some(k) => refuse(format!("{} is missing", self.scalars[k].name)),
            None => Ok(values.into_iter().flatten().collect()),
        }
    }

    /// A caption that is right.
    fn example(&self) -> String {
        let part = |s: &Scalar| format!("{} = {}", s.name, s.from + (s.to - s.from) / 2.0);
        let parts: Vec<String> = self.scalars.iter().map(part).collect();
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoder(width: usize) -> ScalarEncoder {
        let scalar = |name: &str, from, to| Scalar {
            name: name.into(),
            from,
            to,
            periodic: false,
        };
        let scalars = vec![scalar("angle", 0.0, 180.0), scalar("size", -1.0, 3.0)];
        ScalarEncoder::new(scalars, width).unwrap()
    }

    #[test]
    fn ends_and_middle_are_known() {
        // cos(πju) is 1 at u = 0, (−1)ʲ at u = 1, and 1, 0, −1, 0 … at u = ½.
        let text = encoder(8).encode("size=3, angle = 90").unwrap();
        let expected = [1.0, 0.0, -1.0, 0.0, 1.0, -1.0, 1.0, -1.0];
        for (a, b) in text.pooled.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{:?}", text.pooled);
        }
        assert_eq!(text.length(), 2);
        let text = encoder(8).encode("angle=0, size=1e0").unwrap();
        assert_eq!(text.tokens[..8], [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn the_ends_of_a_periodic_scalar_are_one() {
        let angle = Scalar {
            name: "angle".into(),
            from: 0.0,
            to: 360.0,
            periodic: true,
        };
        let encoder = ScalarEncoder::new(vec![angle], 10).unwrap();
        let at = |angle: u32| encoder.encode(&format!("angle={angle}")).unwrap().pooled;
        for (a, b) in at(0).iter().zip(at(360)) {
            assert!((a - b).abs() < 1e-6);
        }
        // 1, sin θ, cos θ, sin 2θ, cos 2θ, sin 3θ, cos 3θ, sin 4θ, and nothing beyond.
        let expected = [1.0, 1.0, 0.0, 0.0, -1.0, -1.0, 0.0, 0.0, 0.0, 0.0];
        for (a, b) in at(90).iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{:?}", at(90));
        }
    }

    #[test]
    fn what_is_no_such_caption_is_refused_with_one_that_is() {
        for (caption, what) in [
            ("", "\"\" is no name"),
            ("angle=3", "size is missing"),
            ("angle=3, angle=3, size=1", "twice"),
            ("angle=181, size=1", "from 0 to 180"),
            ("angle=NaN, size=1", "from 0 to 180"),
            ("angle=x, size=1", "got \"x\""),
            ("angel=3, size=1", "no scalar \"angel\""),
        ] {
            let error = encoder(8).encode(caption).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
            assert!(error.contains("angle = 90, size = 1"), "{error}");
        }
    }

    #[test]
    fn scalars_that_make_no_sense_are_refused() {
        let one = |name: &str, from, to| Scalar {
            name: name.into(),
            from,
            to,
            periodic: false,
        };
        for (scalars, width) in [
            (vec![], 8),
            (vec![one("a", 0.0, 1.0)], 1),
            (vec![one("a=b", 0.0, 1.0)], 8),
            (vec![one("a", 1.0, 1.0)], 8),
            (vec![one("a", 0.0, f64::INFINITY)], 8),
            (vec![one("a", -1e308, 1e308)], 8),
            (vec![one("a", 0.0, 1.0), one("a", 0.0, 1.0)], 8),
        ] {
            assert!(ScalarEncoder::new(scalars, width).is_err());
        }
    }

    proptest! {
        /// The first cosine is one to one on the range, so no two values share a vector.
        #[test]
        fn values_come_back(angle in 0.0_f64..=180.0, size in -1.0_f64..=3.0) {
            let text = encoder(12).encode(&format!("angle={angle}, size={size}")).unwrap();
            let back = |feature: f32| f64::from(feature).clamp(-1.0, 1.0).acos() / PI;
            // The arc cosine is steep at the ends.
            prop_assert!((back(text.pooled[1]) * 180.0 - angle).abs() < 0.1);
            prop_assert!((back(text.pooled[7]) * 4.0 - 1.0 - size).abs() < 0.002);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = encoder(8).encode(&text);
        }
    }
}
