use std::fs;
use std::path::{Path, PathBuf};

use fokker_data::{Dataset, Shape, read_npy, write_npy, write_npy_to};
use npyz::WriterBuilder;
use tempfile::TempDir;

use crate::{contents, refused, strings};

/// The bytes of an array, written by the library npyz.
pub(crate) fn npy<T: npyz::AutoSerialize>(shape: &[u64], values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let options = npyz::WriteOptions::new().default_dtype().shape(shape);
    let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
    writer.extend(values).unwrap();
    writer.finish().unwrap();
    bytes
}

/// The bytes of an array with a header of one's own.
pub(crate) fn raw(header: &str, values: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

fn header(descr: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n")
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

#[test]
fn vectors_of_every_type_come_back() {
    let folder = Folder::new();
    let expected: Vec<f32> = (0..6).map(|k| k as f32).collect();
    let check = |bytes: &[u8]| {
        let set = read_npy(&folder.write("points.npy", bytes), None).unwrap();
        assert_eq!((set.shape(), set.name()), (Shape::Vector(2), "points"));
        assert_eq!(contents(&set), (expected.clone(), vec![None; 3]));
    };
    check(&npy(&[3, 2], &[0f32, 1.0, 2.0, 3.0, 4.0, 5.0]));
    check(&npy(&[3, 2], &[0f64, 1.0, 2.0, 3.0, 4.0, 5.0]));
    check(&npy(&[3, 2], &[0u8, 1, 2, 3, 4, 5]));
    check(&npy(&[3, 2], &[0i8, 1, 2, 3, 4, 5]));
    check(&npy(&[3, 2], &[0u16, 1, 2, 3, 4, 5]));
    check(&npy(&[3, 2], &[0i16, 1, 2, 3, 4, 5]));
    check(&npy(&[3, 2], &[0u32, 1, 2, 3, 4, 5]));
    check(&npy(&[3, 2], &[0i32, 1, 2, 3, 4, 5]));
    check(&npy(&[3, 2], &[0u64, 1, 2, 3, 4, 5]));
    check(&npy(&[3, 2], &[0i64, 1, 2, 3, 4, 5]));
    let big: Vec<u8> = expected.iter().flat_map(|v| v.to_be_bytes()).collect();
    check(&raw(&header(">f4", "(3, 2)"), &big));
    let big: Vec<u8> = (0..6i64).flat_map(|v| v.to_be_bytes()).collect();
    check(&raw(&header(">i8", "(3, 2)"), &big));

    let signed = folder.write("signed.npy", &npy(&[3], &[-1i8, 127, -128]));
    let set = read_npy(&signed, None).unwrap();
    assert_eq!(
        (set.shape(), contents(&set).0),
        (Shape::Vector(1), vec![-1.0, 127.0, -128.0])
    );
    let signed = folder.write("signed.npy", &npy(&[2], &[-3i64, i64::MIN]));
    assert_eq!(
        contents(&read_npy(&signed, None).unwrap()).0,
        [-3.0, -(2f32.powi(63))]
    );
}

#[test]
fn long_arrays_cross_the_pieces_they_are_read_in() {
    let folder = Folder::new();
    let values: Vec<f32> = (0..50_000).map(|k| k as f32 * 0.25).collect();
    let set = read_npy(&folder.write("a.npy", &npy(&[25_000, 2], &values)), None).unwrap();
    assert_eq!(contents(&set).0, values);
}

#[test]
fn images_of_every_layout() {
    let folder = Folder::new();
    let read = |bytes: &[u8]| read_npy(&folder.write("a.npy", bytes), None).unwrap();
    let bytes: Vec<u8> = (0..24).collect();
    let image = |channels, height, width| Shape::Image {
        channels,
        height,
        width,
    };

    let grey = read(&npy(&[2, 3, 4], &bytes));
    assert_eq!(
        (grey.shape(), grey.bytes()),
        (image(1, 3, 4), Some(&bytes[..]))
    );
    let first = read(&npy(&[1, 3, 2, 4], &bytes));
    assert_eq!(
        (first.shape(), first.bytes()),
        (image(3, 2, 4), Some(&bytes[..]))
    );
    let latents = read(&npy(&[1, 2, 3, 4], &bytes));
    assert_eq!(latents.shape(), image(2, 3, 4));
    let last = read(&npy(&[2, 2, 2, 3], &bytes));
    assert_eq!(last.shape(), image(3, 2, 2));
    let expected = [
        0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, 12, 15, 18, 21, 13, 16, 19, 22, 14, 17, 20, 23,
    ];
    assert_eq!(last.bytes(), Some(&expected[..]));
    let last_grey = read(&npy(&[2, 4, 3, 1], &bytes));
    assert_eq!(
        (last_grey.shape(), last_grey.bytes()),
        (image(1, 4, 3), Some(&bytes[..]))
    );

    // Floats follow the same layouts and stay as they are.
    let floats: Vec<f32> = expected
        .iter()
        .map(|&b| (f64::from(b) / 23.0 - 1.0) as f32)
        .collect();
    let first = read(&npy(&[2, 3, 2, 2], &floats));
    assert_eq!(contents(&first).0, floats);
    let floats: Vec<f64> = (0..24).map(|b| f64::from(b) / 23.0 - 1.0).collect();
    let last = read(&npy(&[2, 2, 2, 3], &floats));
    assert_eq!(contents(&last).0, contents(&first).0);
    read(&npy(&[1, 2, 1], &[1.0009f32, -1.0009]));
}

#[test]
fn labels_of_any_integer_type() {
    let folder = Folder::new();
    let data = folder.write("x.npy", &npy(&[3, 1], &[0f32; 3]));
    let read = |bytes: &[u8]| read_npy(&data, Some(&folder.write("y.npy", bytes)));
    for bytes in [
        npy(&[3], &[2u8, 0, 1]),
        npy(&[3], &[2i64, 0, 1]),
        npy(&[3], &[2u16, 0, 1]),
    ] {
        let set = read(&bytes).unwrap();
        assert_eq!(
            (set.labels(), set.classes()),
            (Some(&[2, 0, 1][..]), &strings(&["0", "1", "2"])[..])
        );
    }
    refused(
        read(&npy(&[3], &[0i32, -1, 0])),
        &["y.npy", "item 1", "label -1", "from 0"],
    );
    refused(
        read(&npy(&[3], &[0i64, 0, 70_000])),
        &["item 2", "label 70000", "below 65536"],
    );
    refused(
        read(&npy(&[3], &[0u64, 0, u64::MAX])),
        &["label 18446744073709551615"],
    );
    refused(
        read(&npy(&[2], &[0i32, 1])),
        &["y.npy", "2 labels for 3 items"],
    );
    refused(
        read(&npy(&[3], &[0f32; 3])),
        &["labels of type <f4", "astype(numpy.int64)"],
    );
    refused(
        read(&npy(&[3, 1], &[0i32; 3])),
        &["labels of shape [3, 1]", "one axis, here of length 3"],
    );
}

#[test]
fn faults_are_named() {
    let folder = Folder::new();
    let read = |bytes: &[u8]| read_npy(&folder.write("a.npy", bytes), None);
    refused(
        read_npy(Path::new("/nowhere/a.npy"), None),
        &["cannot read /nowhere/a.npy"],
    );
    refused(read(b""), &["a.npy", "ends within the header"]);
    refused(
        read(b"PK\x03\x04 something else"),
        &["does not begin as a NumPy array", "numpy.save"],
    );
    refused(
        read(b"\x93NUMPY\x09\x00more and more"),
        &["format version 9.0"],
    );
    refused(
        read(&raw("{'descr': '<f4'}", &[])),
        &["header that cannot be understood"],
    );
    refused(
        read(b"\x93NUMPY\x02\x00\xff\xff\xff\xff"),
        &["header of 4294967295 bytes"],
    );
    refused(
        read(&raw(&"(".repeat(9000), &[])),
        &["cannot be understood"],
    );
    refused(
        read(&raw(&header("|O", "(2,)"), b"\x80\x04pickle")),
        &["Python objects", "astype"],
    );
    let record = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }";
    refused(read(&raw(record, &[0; 4])), &["type [('a', '<f4')]"]);
    for descr in ["<c8", "<f2", "|b1", "<U3", "<M8[ns]", "f4", "é4", ""] {
        refused(
            read(&raw(&header(descr, "(1,)"), &[0; 16])),
            &["holds values of type", "float32"],
        );
    }
    let fortran = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }";
    refused(
        read(&raw(fortran, &[0; 16])),
        &["Fortran order", "ascontiguousarray"],
    );

    let whole = npy(&[3, 2], &[0f32; 6]);
    refused(
        read(&whole[..whole.len() - 1]),
        &["shape [3, 2], more than the file can hold", "damaged"],
    );
    refused(
        read(&[&whole[..], &[0]].concat()),
        &["goes on after the values of its shape [3, 2]"],
    );
    let absurd = "(18446744073709551615, 4)";
    refused(
        read(&raw(&header("<f4", absurd), &[0; 64])),
        &["more than the file can hold"],
    );
    refused(
        read(&raw(&header("<f4", "(1000000000000, 2)"), &[0; 64])),
        &["more than the file can hold"],
    );

    refused(
        read(&npy(&[0, 2], &[0f32; 0])),
        &["shape [0, 2]", "at least one item"],
    );
    refused(read(&npy(&[], &[0f32])), &["shape []", "[N, D]"]);
    refused(
        read(&npy(&[1, 1, 1, 1, 1], &[0f32])),
        &["shape [1, 1, 1, 1, 1]", "[N, C, H, W]"],
    );

    refused(
        read(&npy(&[2, 2], &[0f32, 0.0, 0.0, f32::NAN])),
        &["item 1", "value 1", "NaN", "finite"],
    );
    refused(
        read(&npy(&[2, 2], &[0f64, 0.0, f64::INFINITY, 0.0])),
        &["item 1", "value 0", "inf"],
    );
    refused(read(&npy(&[2], &[0f64, 1e300])), &["item 1", "fit float32"]);
    refused(
        read(&npy(&[2, 1, 2], &[0f32, 0.0, 0.0, 255.0])),
        &["item 1", "value 1", "255", "x/127.5 - 1", "2*x - 1"],
    );
    refused(
        read(&npy(&[1, 1, 2], &[0f32, -1.002])),
        &["item 0", "[-1, 1]"],
    );
    refused(
        read(&npy(&[1, 1, 2], &[0i64, 255])),
        &["images as integers of type <i8", "uint8"],
    );
}

#[test]
fn what_is_written_is_read() {
    let folder = Folder::new();
    let values: Vec<f32> = (0..60_000).map(|k| (k as f32).sin()).collect();
    for shape in [vec![60_000], vec![30_000, 2], vec![100, 3, 10, 20]] {
        let path = folder.0.path().join("out.npy");
        write_npy(&path, &values, &shape).unwrap();
        let bytes = fs::read(&path).unwrap();
        // By ourselves and by the other library; the values are aligned to 64 bytes.
        assert_eq!(contents(&read_npy(&path, None).unwrap()).0, values);
        let other = npyz::NpyFile::new(&bytes[..]).unwrap();
        let wide: Vec<u64> = shape.iter().map(|&axis| axis as u64).collect();
        assert_eq!((other.shape(), other.order()), (&wide[..], npyz::Order::C));
        assert_eq!(other.into_vec::<f32>().unwrap(), values);
        assert_eq!((bytes.len() - 4 * values.len()) % 64, 0);
        let mut same = Vec::new();
        write_npy_to(&mut same, &values, &shape).unwrap();
        assert_eq!(same, bytes);
    }
    assert_eq!(
        fs::read_dir(folder.0.path()).unwrap().count(),
        1,
        "nothing is left beside the file"
    );
    refused(
        write_npy_to(Vec::new(), &values, &[7, 2]),
        &["60000 values for shape [7, 2]"],
    );
    refused(
        write_npy(&folder.0.path().join("no/such/folder.npy"), &[1.0], &[1]),
        &["cannot write", "folder.npy"],
    );
}
