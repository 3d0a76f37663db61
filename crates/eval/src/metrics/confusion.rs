use crate::{EvalError, figure::HeatMap};

/// How often a requested class was seen as which class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    names: Vec<String>,
    counts: Vec<u64>,
}

impl Confusion {
    /// Counts pairs (requested, predicted) of class numbers; `names` are the classes in order.
    ///
    /// # Errors
    /// [`EvalError::Shape`] if the lists differ in length; [`EvalError::OutOfRange`] for a class without a name;
    /// [`EvalError::Empty`] without classes.
    pub fn new(
        names: &[String],
        requested: &[usize],
        predicted: &[usize],
    ) -> Result<Self, EvalError> {
        let n = names.len();
        if n == 0 {
            return Err(EvalError::Empty("list of classes"));
        }
        if requested.len() != predicted.len() {
            return Err(EvalError::shape(
                "predicted classes",
                requested.len(),
                predicted.len(),
            ));
        }
        for (what, list) in [
            ("requested classes", requested),
            ("predicted classes", predicted),
        ] {
            if let Some(index) = list.iter().position(|&c| c >= n) {
                return Err(EvalError::OutOfRange {
                    what,
                    index,
                    value: list[index],
                    count: n,
                });
            }
        }
        let mut counts = vec![0; n * n];
        for (&r, &p) in requested.iter().zip(predicted) {
            counts[r * n + p] += 1;
        }
        Ok(Self {
            names: names.to_vec(),
            counts,
        })
    }

    /// The class names in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How often class `requested` was seen as `predicted`; 0 outside the classes.
    pub fn count(&self, requested: usize, predicted: usize) -> u64 {
        let n = self.names.len();
        if requested < n && predicted < n {
            self.counts[requested * n + predicted]
        } else {
            0
        }
    }

    /// The fraction of all pairs that agree; NaN without pairs.
    pub fn overall(&self) -> f64 {
        let right: u64 = (0..self.names.len()).map(|i| self.count(i, i)).sum();
        right as f64 / self.counts.iter().sum::<u64>() as f64
    }

    /// For each requested class the fraction that agrees; NaN for a class never requested.
    pub fn per_class(&self) -> Vec<f64> {
        let rows = self.counts.chunks_exact(self.names.len()).enumerate();
        rows.map(|(i, row)| row[i] as f64 / row.iter().sum::<u64>() as f64)
            .collect()
    }

    /// The classes from worst to best agreement, those never requested left out.
    pub fn worst_first(&self) -> Vec<(&str, f64)> {
        let mut list: Vec<(&str, f64)> = self
            .names
            .iter()
            .map(String::as_str)
            .zip(self.per_class())
            .filter(|(_, v)| v.is_finite())
            .collect();
        list.sort_by(|a, b| a.1.total_cmp(&b.1));
        list
    }

    /// The picture: each row in per cent of the requests for its class, shaded by the same; zeros stay blank.
    pub fn figure(&self, title: impl Into<String>) -> HeatMap {
        let n = self.names.len();
        let (mut values, mut texts) = (Vec::new(), Vec::new());
        for row in self.counts.chunks_exact(n) {
            let total = row.iter().sum::<u64>() as f64;
            for &c in row {
                let share = c as f64 / total;
                values.push(share);
                texts.push(match share * 100.0 {
                    _ if c == 0 => String::new(),
                    p if p < 0.5 => "<1".into(),
                    p => format!("{p:.0}"),
                });
            }
        }
        HeatMap::new(title, self.names.clone(), self.names.clone(), values)
            .texts(texts)
            .axes("asked for", "seen as (%)")
            .full_at(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_by_hand() {
        let names: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        let c = Confusion::new(&names, &[0, 0, 0, 0, 1, 1], &[0, 0, 0, 2, 1, 0]).unwrap();
        assert_eq!(
            (
                c.count(0, 0),
                c.count(0, 2),
                c.count(2, 0),
                c.count(1, 0),
                c.count(9, 0)
            ),
            (3, 1, 0, 1, 0)
        );
        assert!((c.overall() - 4.0 / 6.0).abs() < 1e-15);
        let per = c.per_class();
        assert_eq!((per[0], per[1], per[2].is_nan()), (0.75, 0.5, true));
        assert_eq!(c.worst_first(), [("b", 0.5), ("a", 0.75)]);
    }

    #[test]
    fn wrong_classes_are_named() {
        let names = vec!["a".to_owned()];
        let message = Confusion::new(&names, &[0, 0], &[0, 7])
            .unwrap_err()
            .to_string();
        assert!(message.contains("entry 1 is 7"), "{message}");
        assert!(Confusion::new(&names, &[0], &[]).is_err());
        assert!(Confusion::new(&[], &[], &[]).is_err());
    }
}
