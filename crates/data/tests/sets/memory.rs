use fokker_data::{Dataset, Memory, Shape};

use crate::{contents, refused, strings};

const GREY: Shape = Shape::Image {
    channels: 1,
    height: 1,
    width: 3,
};

#[test]
fn shapes_say_their_size() {
    let image = Shape::Image {
        channels: 3,
        height: 5,
        width: 7,
    };
    assert_eq!(
        (image.size(), image.to_string(), image.axes()),
        (105, "3×5×7".into(), vec![3, 5, 7])
    );
    let vector = Shape::Vector(2);
    assert_eq!(
        (vector.size(), vector.to_string(), vector.axes()),
        (2, "2".into(), vec![2])
    );
}

#[test]
fn floats_come_back_as_they_are() {
    let values = vec![1.0, -2.5, 1e30, 0.0, 3.0, -7.0];
    let labels = Some(vec![1, 0]);
    let set = Memory::new(
        "pair",
        Shape::Vector(3),
        values.clone(),
        labels,
        strings(&["a", "b"]),
    )
    .unwrap();
    assert_eq!(
        (set.name(), set.len(), set.classes().len()),
        ("pair", Some(2), 2)
    );
    assert_eq!(contents(&set), (values, vec![Some(1), Some(0)]));
}

#[test]
fn bytes_fill_the_interval() {
    let set =
        Memory::from_bytes("b", GREY, (0..=255).chain([0, 255]).collect(), None, vec![]).unwrap();
    let (values, labels) = contents(&set);
    assert!(labels.iter().all(Option::is_none));
    for (byte, &value) in values[..256].iter().enumerate() {
        let exact = byte as f64 / 127.5 - 1.0;
        assert!((f64::from(value) - exact).abs() < 1e-7, "{byte}: {value}");
        // The way back is exact, as a picture that is written again must be the same.
        assert_eq!((value * 127.5 + 127.5).round() as usize, byte);
    }
    assert_eq!((values[0], values[255]), (-1.0, 1.0));
}

#[test]
fn faults_are_named() {
    let vector = Shape::Vector(2);
    let new = |values: &[f32], labels, classes: &[&str]| {
        Memory::new("set", vector, values.to_vec(), labels, strings(classes))
    };
    refused(new(&[], None, &[]), &["set", "no items", "at least one"]);
    refused(
        new(&[1.0; 3], None, &[]),
        &["3 values do not fill items of shape 2", "multiple of 2"],
    );
    let nan = [0.0, 1.0, 2.0, f32::NAN];
    refused(
        new(&nan, None, &[]),
        &["set: item 1", "value 1", "NaN", "finite"],
    );
    let inf = [0.0, 1.0, f32::NEG_INFINITY, 0.0];
    refused(new(&inf, None, &[]), &["item 1", "value 0", "-inf"]);
    refused(
        new(&[0.0; 4], Some(vec![0]), &["a"]),
        &["1 labels for 2 items"],
    );
    refused(
        new(&[0.0; 4], Some(vec![0, 2]), &["a", "b"]),
        &["item 1", "label 2", "only 2 classes"],
    );
    refused(
        new(&[0.0; 4], None, &["a"]),
        &["1 class names but no labels"],
    );
    refused(
        Memory::new("set", Shape::Vector(0), vec![], None, vec![]),
        &["shape 0", "at least 1"],
    );
    let huge = Shape::Image {
        channels: usize::MAX,
        height: 2,
        width: 2,
    };
    refused(
        Memory::from_bytes("set", huge, vec![1], None, vec![]),
        &["set: items of shape"],
    );
}

#[test]
fn fingerprints_see_contents_and_shape_but_not_the_name() {
    let make = |name: &str, shape, value: f32, labels, classes: &[&str]| {
        let values = vec![0.0, 1.0, value, 0.0, 0.0, 0.0];
        Memory::new(name, shape, values, labels, strings(classes))
            .unwrap()
            .fingerprint()
    };
    let base = make("a", Shape::Vector(3), 0.5, None, &[]);
    assert_eq!(base, make("b", Shape::Vector(3), 0.5, None, &[]));
    assert_eq!(base.len(), 16);
    assert!(base.chars().all(|c| c.is_ascii_hexdigit()));
    let labelled = make("a", Shape::Vector(3), 0.5, Some(vec![0, 1]), &["x", "y"]);
    let others = [
        make("a", Shape::Vector(3), 0.5000001, None, &[]),
        make("a", Shape::Vector(2), 0.5, None, &[]),
        make("a", GREY, 0.5, None, &[]),
        labelled.clone(),
        make("a", Shape::Vector(3), 0.5, Some(vec![1, 0]), &["x", "y"]),
        make("a", Shape::Vector(3), 0.5, Some(vec![0, 1]), &["x", "z"]),
    ];
    for (i, one) in others.iter().enumerate() {
        assert_ne!(*one, base);
        assert!(others[..i].iter().all(|other| other != one), "{i}");
    }
}

/// A data set that leaves all it can to the defaults.
struct Plain(Memory);

impl Dataset for Plain {
    fn name(&self) -> &str {
        "plain"
    }
    fn shape(&self) -> Shape {
        self.0.shape()
    }
    fn len(&self) -> Option<u64> {
        self.0.len()
    }
    fn item(&self, index: u64, out: &mut [f32]) -> Option<u32> {
        self.0.item(index, out)
    }
}

#[test]
fn the_default_fingerprint_sees_every_item() {
    let print = |last: u8| {
        let mut bytes = vec![7; 3000];
        bytes[2999] = last;
        Plain(Memory::from_bytes("m", GREY, bytes, None, vec![]).unwrap()).fingerprint()
    };
    assert_eq!(print(7), print(7));
    assert_ne!(print(7), print(8));
    assert!(
        Plain(Memory::from_bytes("m", GREY, vec![0; 3], None, vec![]).unwrap())
            .classes()
            .is_empty()
    );
}
