use std::fmt;

/// How a class-conditional model is steered towards its classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Guidance {
    /// The weights w, taken in turn by sample index; 1 is plain conditional, 0 unconditional.
    pub weights: Vec<f64>,
}

impl Guidance {
    /// The weight of sample `index`.
    pub fn weight(&self, index: u64) -> f64 {
        self.weights[(index % self.weights.len() as u64) as usize]
    }
}

impl From<f64> for Guidance {
    fn from(w: f64) -> Self {
        Self { weights: vec![w] }
    }
}

impl Default for Guidance {
    /// w = 1: none.
    fn default() -> Self {
        1.0.into()
    }
}

impl fmt::Display for Guidance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weights: Vec<String> = self.weights.iter().map(f64::to_string).collect();
        f.write_str(&weights.join(", "))
    }
}
