use std::sync::Arc;

use fokker_data::{Dataset, Memory, Padded, Shape, garments};

use crate::{refused, strings};

/// Two images of two channels, 2×3, on 5×5: one row above, two below; one column left, one right.
#[test]
fn images_stand_in_the_middle_and_black_around_them() {
    let shape = Shape::Image {
        channels: 2,
        height: 2,
        width: 3,
    };
    let values: Vec<f32> = (1..=24).map(|v| v as f32 / 24.0).collect();
    let inner = Memory::new(
        "pair",
        shape,
        values.clone(),
        Some(vec![1, 0]),
        strings(&["a", "b"]),
    );
    let inner = Arc::new(inner.unwrap());
    let set = Padded::new(inner.clone(), 5).unwrap();
    assert_eq!(set.shape().axes(), [2, 5, 5]);
    assert_eq!((set.len(), set.classes()), (Some(2), inner.classes()));
    let mut out = [0.0; 50];
    for (index, label) in [(0, 1), (1, 0)] {
        assert_eq!(set.item(index, &mut out), Some(label));
        for (at, v) in out.iter().enumerate() {
            let (c, y, x) = (at / 25, at / 5 % 5, at % 5);
            let inside = (1..3).contains(&y) && (1..4).contains(&x);
            let want = match inside {
                true => values[index as usize * 12 + c * 6 + (y - 1) * 3 + (x - 1)],
                false => -1.0,
            };
            assert_eq!(*v, want, "image {index}, channel {c}, row {y}, column {x}");
        }
    }
}

#[test]
fn the_canvas_enters_the_fingerprint() {
    let inner: Arc<dyn Dataset> = Arc::new(garments());
    let prints = [28, 29, 32].map(|side| Padded::new(inner.clone(), side).unwrap().fingerprint());
    assert!(prints[0] != prints[1] && prints[1] != prints[2]);
    assert_eq!(prints[2], Padded::new(inner, 32).unwrap().fingerprint());
}

#[test]
fn a_canvas_that_is_too_small_is_refused() {
    refused(
        Padded::new(Arc::new(garments()), 27),
        &["pad_to", "1×28×28", "27×27"],
    );
    let points = Memory::new("points", Shape::Vector(2), vec![0.0; 4], None, vec![]).unwrap();
    refused(
        Padded::new(Arc::new(points), 32),
        &["pad_to", "vectors of 2"],
    );
}
