//! Some items of a data set.

use std::sync::Arc;

use crate::{Dataset, Shape};

/// The items of a data set with these numbers, in this order.
pub struct Subset {
    data: Arc<dyn Dataset>,
    indices: Vec<u64>,
}

impl Subset {
    /// Item k is item `indices[k]` of `data`.
    ///
    /// # Panics
    /// Where there are no indices, or one is beyond the data.
    pub fn new(data: Arc<dyn Dataset>, indices: Vec<u64>) -> Self {
        assert!(!indices.is_empty(), "Subset: a data set needs an item");
        if let (Some(len), Some(largest)) = (data.len(), indices.iter().max()) {
            assert!(
                *largest < len,
                "Subset: item {largest} of {len} was asked for"
            );
        }
        Self { data, indices }
    }
}

impl Dataset for Subset {
    fn name(&self) -> &str {
        self.data.name()
    }

    fn shape(&self) -> Shape {
        self.data.shape()
    }

    fn len(&self) -> Option<u64> {
        Some(self.indices.len() as u64)
    }

    fn classes(&self) -> &[String] {
        self.data.classes()
    }

    fn item(&self, index: u64, out: &mut [f32]) -> Option<u32> {
        self.data.item(self.indices[index as usize], out)
    }

    fn drawn(&self, index: u64, draw: u64, out: &mut [f32]) -> Option<u32> {
        self.data.drawn(self.indices[index as usize], draw, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garments;

    #[test]
    fn items_are_those_of_the_whole() {
        let whole = Arc::new(garments());
        let part = Subset::new(whole.clone(), vec![7, 3, 1999]);
        assert_eq!((part.len(), part.shape()), (Some(3), whole.shape()));
        assert_eq!(part.classes(), whole.classes());
        let (mut a, mut b) = (vec![0.0; 784], vec![0.0; 784]);
        for (k, i) in [7, 3, 1999].into_iter().enumerate() {
            assert_eq!(part.item(k as u64, &mut a), whole.item(i, &mut b));
            assert_eq!(a, b);
        }
        assert_ne!(part.fingerprint(), whole.fingerprint());
    }

    #[test]
    #[should_panic(expected = "item 2000 of 2000")]
    fn items_beyond_the_whole_are_refused() {
        Subset::new(Arc::new(garments()), vec![2000]);
    }
}
