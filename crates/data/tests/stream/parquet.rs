//! Parquet files, read by a decoder of their own that follows the format's description.

use std::fs;
use std::io::Read;

use fokker_data::{Dtype, TableSpec};
use tempfile::tempdir;

use crate::thrift::{self, Item};
use crate::{same_bits, spec, values, write};

/// The bytes of every column and the numbers of rows of the row groups.
fn read(file: &[u8], spec: &TableSpec) -> (Vec<Vec<u8>>, Vec<i64>) {
    let (body, tail) = file.split_at(file.len() - 8);
    assert!(file.starts_with(b"PAR1") && tail.ends_with(b"PAR1"));
    let length = u32::from_le_bytes(tail[..4].try_into().unwrap()) as usize;
    let mut footer = &body[body.len() - length..];
    let meta = thrift::structure(&mut footer);
    assert!(footer.is_empty());

    let component = match spec.dtype {
        Dtype::F32 => 4,
        Dtype::F64 => 5,
    };
    let mut expected = vec![("trajectory", 2), ("time", 5)];
    expected.extend(spec.names.iter().map(|name| (name.as_str(), component)));
    let (root, leaves) = meta.list(2).split_first().unwrap();
    assert_eq!(root.int(5), expected.len() as i64);
    let found = leaves.iter().map(|leaf| {
        assert_eq!(leaf.int(3), 0, "required");
        (str::from_utf8(leaf.bytes(4)).unwrap(), leaf.int(1))
    });
    assert_eq!(found.collect::<Vec<_>>(), expected);

    let mut columns = vec![Vec::new(); expected.len()];
    let groups = meta.list(4);
    let mut end = 4;
    for group in groups {
        assert_eq!(group.list(1).len(), columns.len());
        for (chunk, out) in group.list(1).iter().zip(&mut columns) {
            let chunk = chunk.get(3);
            // The chunks stand one after the other.
            assert_eq!(chunk.int(9), end);
            end += chunk.int(7);
            assert_eq!(chunk.int(5), group.int(3));
            let size = pages(&file[chunk.int(9) as usize..end as usize], chunk, out);
            assert_eq!(chunk.int(6), size);
        }
        let sum = |field| {
            group
                .list(1)
                .iter()
                .map(|c| c.get(3).int(field))
                .sum::<i64>()
        };
        assert_eq!((group.int(2), group.int(6)), (sum(6), sum(7)));
    }
    assert_eq!(end as usize, body.len() - length);
    let rows: Vec<i64> = groups.iter().map(|group| group.int(3)).collect();
    assert_eq!(meta.int(3), rows.iter().sum::<i64>());
    (columns, rows)
}

/// Appends the values of a chunk's pages; their size with headers, before compression.
fn pages(mut bytes: &[u8], chunk: &Item, out: &mut Vec<u8>) -> i64 {
    let (mut rows, mut size) = (0, 0);
    while !bytes.is_empty() {
        let before = bytes.len();
        let page = thrift::structure(&mut bytes);
        let header = (before - bytes.len()) as i64;
        assert_eq!(
            (page.int(1), page.get(5).int(2)),
            (0, 0),
            "plain data pages"
        );
        let (data, rest) = bytes.split_at(page.int(3) as usize);
        let start = out.len();
        match chunk.int(4) {
            0 => out.extend_from_slice(data),
            2 => {
                flate2::read::GzDecoder::new(data).read_to_end(out).unwrap();
            }
            other => panic!("codec {other}"),
        }
        assert_eq!((out.len() - start) as i64, page.int(2));
        rows += page.get(5).int(1);
        size += header + page.int(2);
        bytes = rest;
    }
    assert_eq!(rows, chunk.int(5));
    size
}

fn doubles(bytes: &[u8]) -> Vec<f64> {
    let (values, rest) = bytes.as_chunks();
    assert!(rest.is_empty());
    values.iter().map(|&b| f64::from_le_bytes(b)).collect()
}

#[test]
fn tables_read_back() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("paths.parquet");
    for (n, times, dim, dtype) in [
        (7, 5, 3, Dtype::F64),
        (1, 1, 20, Dtype::F32),
        (150_000, 2, 1, Dtype::F32),
    ] {
        let spec = spec(n, times, dim, dtype);
        let values = values(&spec);
        let bytes = write(&path, &spec, &values, &[2, 0, 4]).unwrap();
        let file = fs::read(&path).unwrap();
        assert_eq!(bytes, file.len() as u64);
        let (columns, rows) = read(&file, &spec);
        assert_eq!(rows, [n as i64 * times as i64]);
        let trajectories = columns[0]
            .as_chunks()
            .0
            .iter()
            .map(|&b| i64::from_le_bytes(b));
        assert!(trajectories.eq((0..n as i64).flat_map(|i| std::iter::repeat_n(i, times))));
        let repeated: Vec<f64> = (0..n).flat_map(|_| spec.times.clone()).collect();
        same_bits(doubles(&columns[1]), &repeated);
        for (j, column) in columns[2..].iter().enumerate() {
            let column: Vec<f64> = match dtype {
                Dtype::F64 => doubles(column),
                Dtype::F32 => {
                    let values = column.as_chunks().0.iter();
                    values.map(|&b| f32::from_le_bytes(b).into()).collect()
                }
            };
            let expected = values.iter().skip(j).step_by(dim).map(|&x| match dtype {
                Dtype::F64 => x,
                Dtype::F32 => (x as f32).into(),
            });
            same_bits(column, &expected.collect::<Vec<_>>());
        }
    }
}

#[test]
fn long_tables_have_row_groups_of_bounded_memory() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("paths.parquet");
    let spec = spec(2600, 1, 4096, Dtype::F64);
    let values: Vec<f64> = (0..2600 * 4096).map(f64::from).collect();
    write(&path, &spec, &values, &[1000]).unwrap();
    // 64 MiB are 2048 rows of 4096 doubles.
    let (columns, rows) = read(&fs::read(&path).unwrap(), &spec);
    assert_eq!(rows, [2048, 552]);
    let column: Vec<f64> = (0..2600).map(|i| f64::from(i * 4096 + 4095)).collect();
    same_bits(doubles(&columns[2 + 4095]), &column);
}
