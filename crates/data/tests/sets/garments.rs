use std::path::Path;

use fokker_data::{Dataset, FASHION_CLASSES, Shape, Split, garments, idx_dir};

#[test]
fn two_thousand_garments_balanced_in_every_prefix() {
    let set = garments();
    assert_eq!(
        set.shape(),
        Shape::Image {
            channels: 1,
            height: 28,
            width: 28
        }
    );
    assert_eq!(
        (set.len(), set.classes()),
        (Some(2000), FASHION_CLASSES.map(String::from).as_slice())
    );
    let labels = set.labels().unwrap();
    assert!(
        labels
            .chunks(10)
            .all(|ten| ten == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    );
    let mut image = [0.0; 784];
    for index in 0..2000 {
        set.item(index, &mut image);
        let (low, high) = image
            .iter()
            .fold((1f32, -1f32), |(l, h), &v| (l.min(v), h.max(v)));
        assert!(
            low == -1.0 && high > 0.0,
            "garment {index} spans {low}..{high}"
        );
    }
}

/// Mean pixel of Fashion-MNIST's training images: 0.2860 on [0, 1], as published with many recipes.
#[test]
fn the_mean_grey_is_that_of_fashion_mnist() {
    let set = garments();
    let bytes = set.bytes().unwrap();
    let mean = bytes.iter().map(|&b| f64::from(b)).sum::<f64>() / bytes.len() as f64 / 255.0;
    assert!((mean - 0.2860).abs() < 0.01, "{mean}");
}

/// Where the whole of Fashion-MNIST is installed, the garments are its first 200 of each class, bit by bit.
#[test]
fn garments_are_the_first_of_each_class() {
    let dir = Path::new("/usr/share/datasets/fashion-mnist");
    if !dir.is_dir() {
        return;
    }
    let whole = idx_dir(dir, Split::Train).unwrap();
    assert_eq!(
        (whole.len(), whole.name()),
        (Some(60_000), "fashion-mnist train")
    );
    assert_eq!(whole.classes()[9], "Ankle boot");
    let set = garments();
    let (bytes, whole_bytes) = (set.bytes().unwrap(), whole.bytes().unwrap());
    let mut seen = [0; 10];
    for (image, &label) in whole_bytes.chunks(784).zip(whole.labels().unwrap()) {
        let (label, k) = (label as usize, &mut seen[label as usize]);
        if *k < 200 {
            let at = (10 * *k + label) * 784;
            assert!(bytes[at..at + 784] == *image, "garment {}", 10 * *k + label);
            *k += 1;
        }
    }
    assert_eq!(seen, [200; 10]);
}
