use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use fokker_data::{Dataset, read_npz};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::npy::{npy, raw};
use crate::{contents, refused};

fn npz(method: CompressionMethod, arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        archive
            .start_file(
                *name,
                SimpleFileOptions::default().compression_method(method),
            )
            .unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("set.npz");
        fs::write(&path, bytes).unwrap();
        path
    }
}

const BOTH: [CompressionMethod; 2] = [CompressionMethod::Stored, CompressionMethod::Deflated];

#[test]
fn stored_and_deflated_with_the_usual_keys() {
    let folder = Folder::new();
    let points = npy(&[3, 2], &[0f32, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let labels = npy(&[3], &[1i64, 0, 1]);
    for method in BOTH {
        for (x, y) in [
            ("x", "y"),
            ("images", "labels"),
            ("data", "y"),
            ("arr_0", "arr_1"),
        ] {
            let (x, y) = (format!("{x}.npy"), format!("{y}.npy"));
            let arrays = [(y.as_str(), labels.clone()), (x.as_str(), points.clone())];
            let set = read_npz(&folder.write(&npz(method, &arrays)), None, None).unwrap();
            assert_eq!(contents(&set).0, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
            assert_eq!((set.labels(), set.name()), (Some(&[1, 0, 1][..]), "set"));
        }
        let arrays = [("x.npy", points.clone())];
        let set = read_npz(&folder.write(&npz(method, &arrays)), None, None).unwrap();
        assert!(set.labels().is_none() && set.classes().is_empty());
    }
}

#[test]
fn keys_can_be_chosen_and_missing_ones_are_named() {
    let folder = Folder::new();
    let arrays = [
        ("train.npy", npy(&[2, 1], &[7f64, 8.0])),
        ("kinds.npy", npy(&[2], &[0u8, 1])),
        ("readme.txt", b"text".to_vec()),
    ];
    let path = folder.write(&npz(CompressionMethod::Deflated, &arrays));
    let set = read_npz(&path, Some("train"), Some("kinds")).unwrap();
    assert_eq!(
        (contents(&set).0, set.labels()),
        (vec![7.0, 8.0], Some(&[0, 1][..]))
    );
    let all = "its arrays are \"train\", \"kinds\"";
    refused(
        read_npz(&path, None, None),
        &["set.npz", "\"x\", \"images\", \"data\", \"arr_0\"", all],
    );
    refused(
        read_npz(&path, Some("test"), None),
        &["no array \"test\"", all],
    );
    refused(
        read_npz(&path, Some("train"), Some("y")),
        &["no array \"y\"", all],
    );
    let empty = folder.write(&npz(CompressionMethod::Stored, &[]));
    refused(read_npz(&empty, None, None), &["holds no arrays at all"]);
}

#[test]
fn faults_are_named() {
    let folder = Folder::new();
    let read = |arrays: &[(&str, Vec<u8>)]| {
        read_npz(
            &folder.write(&npz(CompressionMethod::Deflated, arrays)),
            None,
            None,
        )
    };
    let place = "set.npz, array \"x\"";
    refused(
        read(&[("x.npy", b"text".to_vec())]),
        &[place, "ends within the header"],
    );
    let x = npy(&[2, 1], &[1f32, f32::NAN]);
    refused(read(&[("x.npy", x)]), &[place, "item 1", "NaN"]);
    let x = npy(&[2, 1], &[1f32, 2.0]);
    let y = npy(&[3], &[0i32; 3]);
    refused(
        read(&[("x.npy", x.clone()), ("y.npy", y)]),
        &["array \"y\"", "3 labels for 2 items"],
    );
    refused(
        read(&[("x.npy", [&x[..], &[1]].concat())]),
        &[place, "goes on after"],
    );
    refused(
        read(&[("x.npy", x[..x.len() - 1].to_vec())]),
        &[place, "more than the file can hold"],
    );
    refused(
        read_npz(&folder.write(b"no archive"), None, None),
        &["set.npz", "zip archive", "numpy.savez"],
    );
    // A bomb: a small array with ten megabytes of zeros behind it.
    let bomb = [&x[..], &vec![0; 10_000_000]].concat();
    refused(
        read(&[("x.npy", bomb)]),
        &[place, "goes on after the values"],
    );
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (9000000000, 2), }";
    refused(
        read(&[("x.npy", raw(header, &[0; 64]))]),
        &[place, "more than the file can hold"],
    );

    for method in BOTH {
        let whole = npz(method, &[("x.npy", npy(&[500, 1], &[0.125f32; 500]))]);
        for keep in [whole.len() / 2, whole.len() - 1] {
            refused(
                read_npz(&folder.write(&whole[..keep]), None, None),
                &["set.npz"],
            );
        }
    }
    // One bit of a value is wrong, which only the sum of the archive can tell.
    let mut wrong = npz(
        CompressionMethod::Stored,
        &[("x.npy", npy(&[500, 1], &[0.125f32; 500]))],
    );
    wrong[1000] ^= 1;
    refused(
        read_npz(&folder.write(&wrong), None, None),
        &[place, "cannot be read", "damaged"],
    );
}
