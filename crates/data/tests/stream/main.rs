//! Streamed tables: what is written reads back, in pieces as in one, whole or not at all.

mod full;
mod parquet;
mod thrift;

use std::fs;
use std::path::Path;

use fokker_data::{
    DataError, Dtype, Format, TableSpec, TableWriter, check_room, component_names, estimated_bytes,
};
use fokker_sim::rng::{Purpose, Stream};
use proptest::prelude::*;
use tempfile::tempdir;

fn spec(trajectories: u64, times: usize, dim: usize, dtype: Dtype) -> TableSpec {
    TableSpec {
        trajectories,
        times: (0..times).map(|k| k as f64 / 10.0).collect(),
        names: component_names(dim),
        dtype,
    }
}

fn values(spec: &TableSpec) -> Vec<f64> {
    let n = spec.trajectories as usize * spec.times.len() * spec.names.len();
    let mut x = vec![0.0; n];
    Stream::new(3, Purpose::Test, 0, 0).normals_f64(&mut x);
    // Sizes from tiny to huge, and what is no number.
    for (i, x) in x.iter_mut().enumerate() {
        *x *= 10f64.powi((i % 41) as i32 * 9 - 180);
    }
    for (place, odd) in [
        (1, f64::NAN),
        (2, f64::INFINITY),
        (3, f64::NEG_INFINITY),
        (4, -0.0),
    ] {
        if let Some(x) = x.get_mut(place) {
            *x = odd;
        }
    }
    x
}

/// Writes `values` in blocks of the given numbers of trajectories, the last block taking what is left.
fn write(
    path: &Path,
    spec: &TableSpec,
    values: &[f64],
    blocks: &[usize],
) -> Result<u64, DataError> {
    let mut table = TableWriter::create(path, Format::from_path(path)?, spec)?;
    let per_trajectory = spec.times.len() * spec.names.len();
    let mut left = values;
    for &n in blocks {
        let (now, rest) = left.split_at(left.len().min(n * per_trajectory));
        table.write_block(table.trajectories(), now)?;
        left = rest;
    }
    table.write_block(table.trajectories(), left)?;
    table.finish()
}

fn same_bits(got: impl IntoIterator<Item = f64>, expected: &[f64]) {
    let got: Vec<f64> = got.into_iter().collect();
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        let same = got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan();
        assert!(same, "{got} {expected}");
    }
}

#[test]
fn numpy_arrays_read_back() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("paths.npy");
    for (dtype, size) in [(Dtype::F64, 8), (Dtype::F32, 4)] {
        let spec = spec(7, 5, 3, dtype);
        let values = values(&spec);
        let bytes = write(&path, &spec, &values, &[2, 0, 4]).unwrap();
        let file = fs::read(&path).unwrap();
        assert_eq!(bytes, file.len() as u64);
        assert_eq!(bytes, estimated_bytes(&spec, Format::Npy));
        assert_eq!((file.len() - 7 * 5 * 3 * size) % 64, 0);
        let array = npyz::NpyFile::new(&file[..]).unwrap();
        assert_eq!(array.shape(), [7, 5, 3]);
        assert_eq!(array.order(), npyz::Order::C);
        match dtype {
            Dtype::F64 => same_bits(array.into_vec::<f64>().unwrap(), &values),
            Dtype::F32 => {
                let rounded: Vec<f64> = values.iter().map(|&x| (x as f32).into()).collect();
                let read = array.into_vec::<f32>().unwrap();
                same_bits(read.into_iter().map(f64::from), &rounded);
            }
        }
    }
}

#[test]
fn text_reads_back_bit_by_bit() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("paths.CSV");
    // Enough for several threads, several times over.
    let mut spec = spec(40_000, 4, 2, Dtype::F64);
    spec.names = vec!["position".into(), "momentum".into()];
    let values = values(&spec);
    let bytes = write(&path, &spec, &values, &[1, 200]).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(bytes, text.len() as u64);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("trajectory,time,position,momentum"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 160_000);
    let mut read = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row.len(), 4);
        assert_eq!(row[0].parse(), Ok(i / 4));
        assert_eq!(row[1].parse(), Ok(spec.times[i % 4]));
        read.extend(row[2..].iter().map(|x| x.parse::<f64>().unwrap()));
    }
    same_bits(read, &values);
    assert!(text.ends_with('\n'));
}

#[test]
fn single_precision_in_text_is_as_short_as_it_can_be() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let spec = spec(1, 1, 3, Dtype::F32);
    let mut table = TableWriter::create(&path, Format::Csv, &spec).unwrap();
    table
        .write_block(0, &[0.1f32, 16777216.0, -2.5e-30][..])
        .unwrap();
    table.finish().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(
        text,
        "trajectory,time,x0,x1,x2\n0,0.0,0.1,16777216.0,-2.5e-30\n"
    );
}

#[test]
fn the_estimate_is_near_and_not_below_for_ordinary_numbers() {
    let folder = tempdir().unwrap();
    for dtype in [Dtype::F32, Dtype::F64] {
        let spec = spec(1000, 20, 3, dtype);
        let mut values = vec![0.0; 60_000];
        Stream::new(1, Purpose::Test, 0, 0).normals_f64(&mut values);
        for format in Format::ALL {
            let path = folder.path().join("a").with_extension(format.extension());
            let bytes = write(&path, &spec, &values, &[]).unwrap() as f64;
            let estimate = estimated_bytes(&spec, format) as f64;
            assert!(
                bytes <= 1.01 * estimate && estimate < 1.2 * bytes,
                "{format:?} {bytes} {estimate}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn blocks_do_not_show_in_the_file(
        trajectories in 1u64..40, times in 1usize..5, dim in 1usize..5,
        blocks in prop::collection::vec(0usize..20, 0..5), single in any::<bool>(),
    ) {
        let folder = tempdir().unwrap();
        let spec = spec(trajectories, times, dim, if single { Dtype::F32 } else { Dtype::F64 });
        let values = values(&spec);
        for format in Format::ALL {
            let name = |stem: &str| folder.path().join(stem).with_extension(format.extension());
            write(&name("pieces"), &spec, &values, &blocks).unwrap();
            write(&name("one"), &spec, &values, &[]).unwrap();
            prop_assert!(fs::read(name("pieces")).unwrap() == fs::read(name("one")).unwrap());
        }
    }
}

#[test]
fn what_is_not_finished_leaves_nothing() {
    let folder = tempdir().unwrap();
    let files = || fs::read_dir(folder.path()).unwrap().count();
    let spec = spec(3, 2, 1, Dtype::F64);
    for format in Format::ALL {
        let path = folder.path().join("a").with_extension(format.extension());
        let begin = || TableWriter::create(&path, format, &spec).unwrap();
        let mut table = begin();
        assert_eq!(files(), 1);
        table.write_block(0, &[1.0, 2.0][..]).unwrap();
        drop(table);
        assert_eq!(files(), 0);
        let message = begin().finish().unwrap_err().to_string();
        assert!(message.contains("0 of 3 trajectories"), "{message}");
        // Out of order, in parts, and too many; nothing helps afterwards.
        let wrong: [(u64, &[f64]); 3] = [(1, &[0.0; 2]), (0, &[0.0; 3]), (0, &[0.0; 8])];
        for (first, values) in wrong {
            let mut table = begin();
            assert!(matches!(
                table.write_block(first, values),
                Err(DataError::Contents { .. })
            ));
            assert!(table.write_block(0, &[0.0; 6][..]).is_err());
            assert!(table.finish().is_err());
        }
        assert_eq!(files(), 0);
    }
}

#[test]
fn a_missing_folder_is_known_at_once() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("missing").join("a.npy");
    let spec = spec(3, 2, 1, Dtype::F64);
    let message = TableWriter::create(&path, Format::Npy, &spec)
        .unwrap_err()
        .to_string();
    assert!(message.contains("a.npy"), "{message}");
    assert!(matches!(
        check_room(&path, 1, None),
        Err(DataError::Io { .. })
    ));
}

#[cfg(unix)]
#[test]
fn a_locked_folder_is_known_at_once() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let path = folder.path().join("a.npy");
    let made = TableWriter::create(&path, Format::Npy, &spec(3, 2, 1, Dtype::F64));
    // The superuser may write anywhere.
    match made {
        Ok(table) => drop(table),
        Err(error) => assert!(error.to_string().contains("a.npy"), "{error}"),
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn endings_name_formats() {
    for format in Format::ALL {
        assert_eq!(
            Format::from_path(format!("a.b.{}", format.extension())).unwrap(),
            format
        );
    }
    for name in ["a", "a.txt", "npy"] {
        let message = Format::from_path(name).unwrap_err().to_string();
        assert!(message.contains(".npy, .csv or .parquet"), "{message}");
    }
}

#[test]
fn tables_that_cannot_be_are_refused() {
    let folder = tempdir().unwrap();
    let good = spec(1, 2, 2, Dtype::F64);
    let refused = |change: &dyn Fn(&mut TableSpec), word: &str| {
        let mut spec = good.clone();
        change(&mut spec);
        let error =
            TableWriter::create(folder.path().join("a.csv"), Format::Csv, &spec).unwrap_err();
        assert!(error.to_string().starts_with(word), "{error}");
    };
    refused(&|spec| spec.trajectories = 0, "trajectories");
    refused(&|spec| spec.trajectories = u64::MAX, "trajectories");
    refused(&|spec| spec.times.clear(), "times");
    refused(&|spec| spec.times[1] = f64::NAN, "times");
    refused(&|spec| spec.names.clear(), "names");
    for name in ["", "x1", "time", "a,b", "a\"", "a\nb"] {
        refused(&|spec| spec.names[0] = name.into(), "names");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn room_is_checked_against_disk_and_limit() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("paths.npy");
    check_room(&path, 1, Some(1)).unwrap();
    let message = check_room(&path, 12_000_000_000, Some(1_000_000_000))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("would take 12.0 GB, but the limit is 1.0 GB"),
        "{message}"
    );
    assert!(
        message.contains("--save") && message.contains("--count"),
        "{message}"
    );
    let everything = estimated_bytes(&spec(u64::MAX, 1000, 3, Dtype::F64), Format::Csv);
    assert_eq!(everything, u64::MAX);
    let message = check_room(&path, everything, None).unwrap_err().to_string();
    assert!(
        message.contains("18.4 EB, but") && message.contains("free on /"),
        "{message}"
    );
}
