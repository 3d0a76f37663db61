use fokker_data::{Dataset, Shape};

/// The data that imported weights were trained on: known by its shape and its classes only.
pub(super) struct Elsewhere {
    pub(super) shape: Shape,
    pub(super) classes: Vec<String>,
}

impl Dataset for Elsewhere {
    fn name(&self) -> &str {
        "elsewhere"
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn len(&self) -> Option<u64> {
        Some(0)
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn item(&self, index: u64, _: &mut [f32]) -> Option<u32> {
        panic!("expected an item of data that is elsewhere to be never asked for, got {index}")
    }
}
