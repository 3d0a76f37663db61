use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use fokker_data::{Dataset, Shape, Split, idx_dir, read_idx};
use tempfile::TempDir;

use crate::{contents, refused, strings};

/// An IDX file: the type, the axes, the values.
fn idx(kind: u8, axes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, axes.len() as u8];
    axes.iter()
        .for_each(|axis| bytes.extend(axis.to_be_bytes()));
    bytes.extend(values);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut zip = GzEncoder::new(Vec::new(), Compression::best());
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap()
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

#[test]
fn plain_and_gzip_are_told_by_content() {
    let folder = Folder::new();
    let values: Vec<u8> = (0..12).collect();
    let images = idx(8, &[3, 2, 2], &values);
    let labels = idx(8, &[3], &[4, 0, 2]);
    let plain = folder.write("some-images.idx", &images);
    // The endings lie on purpose.
    let zipped = folder.write("zipped", &gzip(&images));
    let labels = folder.write("labels", &gzip(&labels));
    let set = read_idx(&plain, Some(&labels), None).unwrap();
    assert_eq!(
        set.shape(),
        Shape::Image {
            channels: 1,
            height: 2,
            width: 2
        }
    );
    assert_eq!(
        (set.name(), set.classes()),
        ("some-images", strings(&["0", "2", "4"]).as_slice())
    );
    let expected: Vec<f32> = values.iter().map(|&b| f32::from(b) / 127.5 - 1.0).collect();
    assert_eq!(contents(&set), (expected, vec![Some(2), Some(0), Some(1)]));
    let again = read_idx(&zipped, Some(&labels), None).unwrap();
    assert_eq!(set.fingerprint(), again.fingerprint());
    let bare = read_idx(&plain, None, None).unwrap();
    assert!(bare.classes().is_empty() && bare.labels().is_none());
}

#[test]
fn folders_have_their_four_files() {
    let folder = Folder::new();
    folder.write(
        "My-Fashion/train-images-idx3-ubyte",
        &idx(8, &[1, 1, 2], &[1, 2]),
    );
    folder.write("My-Fashion/train-labels.idx1-ubyte", &idx(8, &[1], &[9]));
    folder.write(
        "My-Fashion/t10k-images.idx3-ubyte.gz",
        &gzip(&idx(8, &[2, 1, 1], &[3, 4])),
    );
    let dir = folder.0.path().join("My-Fashion");
    let train = idx_dir(&dir, Split::Train).unwrap();
    assert_eq!(
        (train.name(), train.classes()[9].as_str()),
        ("My-Fashion train", "Ankle boot")
    );
    refused(
        idx_dir(&dir, Split::Test),
        &["My-Fashion", "no t10k-labels-idx1-ubyte"],
    );
    folder.write(
        "My-Fashion/t10k-labels-idx1-ubyte.gz",
        &gzip(&idx(8, &[2], &[0, 1])),
    );
    assert_eq!(
        idx_dir(&dir, Split::Test).unwrap().name(),
        "My-Fashion test"
    );

    folder.write(
        "digits/train-images-idx3-ubyte",
        &idx(8, &[1, 1, 2], &[1, 2]),
    );
    folder.write("digits/train-labels-idx1-ubyte", &idx(8, &[1], &[9]));
    let digits = idx_dir(&folder.0.path().join("digits"), Split::Train).unwrap();
    assert_eq!(
        digits.classes(),
        strings(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
    );
    refused(
        idx_dir(folder.0.path(), Split::Train),
        &["no train-images-idx3-ubyte", "four IDX files"],
    );
    refused(
        idx_dir(&folder.0.path().join("nowhere"), Split::Train),
        &["nowhere", "not a folder"],
    );
}

#[test]
fn faults_are_named() {
    let folder = Folder::new();
    let read = |bytes: &[u8]| read_idx(&folder.write("images", bytes), None, None);
    refused(
        read_idx(&folder.0.path().join("absent"), None, None),
        &["cannot read", "absent"],
    );
    refused(read_idx(folder.0.path(), None, None), &["not a file"]);
    refused(read(&[]), &["images", "ends within the IDX header"]);
    refused(read(&[0, 0, 8, 3, 0, 0]), &["ends within the IDX header"]);
    refused(
        read(b"\x89PNG...."),
        &["137 80 78 71", "no IDX file", "0 0 8 3"],
    );
    refused(
        read(&idx(0x0D, &[1, 1, 1], &[0; 4])),
        &["type 0x0d", "unsigned bytes"],
    );
    refused(read(&idx(8, &[4], &[0; 4])), &["1 axes", "0 0 8 3"]);
    refused(
        read(&idx(8, &[2, 2, 2], &[0; 7])),
        &["2×2×2 bytes, more than the file can hold"],
    );
    refused(
        read(&idx(8, &[2, 2, 2], &[0; 9])),
        &["goes on after the 2×2×2 bytes"],
    );
    refused(
        read(&gzip(&idx(8, &[2, 2, 2], &[0; 7]))),
        &["ends before the 2×2×2 bytes"],
    );
    refused(
        read(&gzip(&idx(8, &[2, 2, 2], &[0; 9]))),
        &["goes on after"],
    );
    refused(
        read(&idx(8, &[0, 28, 28], &[])),
        &["0 images of 28×28", "at least one image"],
    );
    refused(read(&idx(8, &[1, 0, 28], &[])), &["1 images of 0×28"]);
    let absurd = [u32::MAX, u32::MAX, u32::MAX];
    refused(
        read(&idx(8, &absurd, &[0; 9])),
        &["more than the file can hold"],
    );
    refused(
        read(&gzip(&idx(8, &[60_000, 28, 28], &[0; 9]))),
        &["more than the file can hold"],
    );
    // A bomb: ten megabytes of zeros behind a header that declares four.
    refused(
        read(&gzip(&idx(8, &[1, 2, 2], &vec![0; 10_000_000]))),
        &["goes on after the 1×2×2 bytes"],
    );

    let whole = gzip(&idx(8, &[1, 8, 8], &[9; 64]));
    refused(read(&whole[..whole.len() - 9]), &["images"]);
    let mut wrong_sum = whole.clone();
    let at = whole.len() - 8;
    wrong_sum[at] ^= 1;
    refused(read(&wrong_sum), &["cannot be read", "damaged"]);
}

#[test]
fn faults_of_labels_are_named() {
    let folder = Folder::new();
    let images = folder.write("images", &idx(8, &[3, 1, 1], &[1, 2, 3]));
    let read =
        |bytes: &[u8], classes| read_idx(&images, Some(&folder.write("labels", bytes)), classes);
    refused(
        read(&idx(8, &[2], &[0, 1]), None),
        &["labels", "2 labels for the 3 images", "images"],
    );
    let two = Some(strings(&["a", "b"]));
    refused(
        read(&idx(8, &[3], &[0, 1, 2]), two),
        &["labels: item 2", "label 2 but only 2 classes"],
    );
    refused(
        read(&idx(8, &[3, 1, 1], &[0, 1, 2]), None),
        &["3 axes", "IDX labels begin with the bytes 0 0 8 1"],
    );
    refused(
        read_idx(&images, None, Some(strings(&["a"]))),
        &["class names but no labels"],
    );
}
