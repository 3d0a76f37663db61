//! A number is a function of its address: of nothing else, and of all of it.

use fokker_sim::rng::{Purpose, Stream, normal_rows, permutation, uniform_rows};
use proptest::prelude::*;

const PURPOSES: [Purpose; 11] = [
    Purpose::Init,
    Purpose::Solver,
    Purpose::Time,
    Purpose::Data,
    Purpose::Order,
    Purpose::Drop,
    Purpose::Noise,
    Purpose::Weights,
    Purpose::Augment,
    Purpose::Project,
    Purpose::Test,
];

/// Values of the stated layout and formulas, computed apart from this code: Philox in big integers,
/// Box and Muller's transform with 40 digits.
#[test]
fn known_normals() {
    let stream = Stream::new(0x0123_4567_89ab_cdef, Purpose::Noise, 0x1234_5678_9abc, 77);
    let mut single = [0.0; 8];
    stream.normals(&mut single);
    let expected = [
        -1.274_708_909_157_254,
        -1.933_376_913_691_042_7,
        -0.276_795_398_739_457_8,
        -0.674_640_507_366_513_4,
        0.559_756_746_070_999,
        0.956_182_025_288_150_5,
        -0.535_866_393_403_542_2,
        0.008_085_416_105_728_565,
    ];
    for (found, expected) in single.into_iter().zip(expected) {
        assert!(
            (f64::from(found) / expected - 1.0_f64).abs() < 4e-7,
            "{found}, {expected}"
        );
    }
    let mut double = [0.0; 4];
    stream.normals_f64(&mut double);
    let expected = [
        0.240_127_911_099_632_45,
        -2.303_294_961_293_481,
        0.739_099_869_118_534_8,
        -0.825_435_075_589_045_5,
    ];
    for (found, expected) in double.into_iter().zip(expected) {
        assert!(
            (found / expected - 1.0_f64).abs() < 1e-15,
            "{found}, {expected}"
        );
    }
}

#[test]
fn the_purposes_values_are_frozen() {
    assert!(PURPOSES.into_iter().map(|p| p as u16).eq(0..11));
}

#[test]
fn every_part_of_the_address_matters() {
    let base = (3, Purpose::Init, 5, 7);
    let first = |(seed, purpose, sample, draw)| Stream::new(seed, purpose, sample, draw).block(0);
    let mut others = vec![
        first((4, base.1, base.2, base.3)),
        first((3 | 1 << 32, base.1, base.2, base.3)),
        first((3, base.1, 6, base.3)),
        first((3, base.1, 5 | 1 << 32, base.3)),
        first((3, base.1, 5 | 1 << 47, base.3)),
        first((3, base.1, base.2, 8)),
        Stream::new(3, base.1, base.2, base.3).block(1),
    ];
    others.extend(PURPOSES.map(|purpose| first((3, purpose, 5, 7))));
    others.sort_unstable();
    let count = others.len();
    others.dedup();
    assert_eq!(others.len(), count);
}

#[test]
fn a_longer_row_starts_with_the_shorter_one() {
    let stream = Stream::new(1, Purpose::Test, 2, 3);
    let mut long = [0.0; 300];
    let mut long_f64 = [0.0; 300];
    stream.normals(&mut long);
    stream.normals_f64(&mut long_f64);
    for n in 0..300 {
        let mut short = vec![0.0; n];
        stream.normals(&mut short);
        assert_eq!(short, long[..n]);
        let mut short = vec![0.0; n];
        stream.normals_f64(&mut short);
        assert_eq!(short, long_f64[..n]);
    }
}

#[test]
fn a_cursor_walks_its_stream() {
    let stream = Stream::new(9, Purpose::Test, 1, 1);
    let mut bits = [0; 50];
    stream.bits(&mut bits);
    let mut cursor = stream.cursor();
    assert!(bits.iter().all(|&word| cursor.u32() == word));
    let mut uniforms = [0.0; 50];
    stream.uniforms(&mut uniforms);
    let mut cursor = stream.cursor();
    assert!(uniforms.iter().all(|&x| cursor.uniform() == x));
    let mut uniforms = [0.0; 51];
    stream.uniforms_f64(&mut uniforms);
    let mut cursor = stream.cursor();
    assert!(uniforms.iter().all(|&x| cursor.uniform_f64() == x));
    let mut normals = [0.0; 51];
    stream.normals_f64(&mut normals);
    let mut cursor = stream.cursor();
    assert!(normals.iter().all(|&x| cursor.normal_f64() == x));
    assert_eq!(
        stream.cursor().u64(),
        u64::from(bits[0]) << 32 | u64::from(bits[1])
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_split_of_a_batch_gives_the_same_bits(
        seed: u64,
        start in 0..1u64 << 40,
        dim in 1..40usize,
        rows in 1..60u64,
        cut in 0..60u64,
    ) {
        for fill in [normal_rows, uniform_rows] {
            let mut whole = vec![0.0; rows as usize * dim];
            fill(seed, Purpose::Init, start..start + rows, 2, dim, &mut whole);
            let cut = cut.min(rows);
            let mut parts = vec![0.0; whole.len()];
            let (left, right) = parts.split_at_mut(cut as usize * dim);
            fill(seed, Purpose::Init, start..start + cut, 2, dim, left);
            fill(seed, Purpose::Init, start + cut..start + rows, 2, dim, right);
            prop_assert_eq!(&whole, &parts);
        }
    }
}

#[test]
fn rows_are_streams_on_any_number_of_threads() {
    // Short rows, long rows, and one row cut into pieces: all above the size that is shared out.
    for (rows, dim) in [(20_001, 3), (300, 784), (2, 50_001), (1, 100_000)] {
        let mut expected = vec![0.0; rows * dim];
        for (r, row) in expected.chunks_exact_mut(dim).enumerate() {
            Stream::new(11, Purpose::Data, 100 + r as u64, 4).normals(row);
        }
        for threads in [1, 2, 7] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let mut found = vec![0.0; rows * dim];
            pool.install(|| {
                normal_rows(
                    11,
                    Purpose::Data,
                    100..100 + rows as u64,
                    4,
                    dim,
                    &mut found,
                );
            });
            assert!(found == expected, "{rows} × {dim} on {threads} threads");
        }
    }
}

#[test]
fn empty_requests() {
    Stream::new(0, Purpose::Test, 0, 0).normals(&mut []);
    normal_rows(0, Purpose::Test, 3..3, 0, 5, &mut []);
    normal_rows(0, Purpose::Test, 3..9, 0, 0, &mut []);
    assert!(permutation(0, Purpose::Order, 0, 0).is_empty());
    assert_eq!(permutation(0, Purpose::Order, 0, 1), [0]);
}

#[test]
#[should_panic(expected = "4 samples of dimension 3 do not fill a slice of 11 numbers")]
fn a_slice_of_wrong_length_is_refused() {
    normal_rows(0, Purpose::Test, 0..4, 0, 3, &mut [0.0; 11]);
}

#[test]
#[should_panic(expected = "must be below 2^48, got 281474976710656")]
fn a_sample_too_large_is_refused() {
    Stream::new(0, Purpose::Test, 1 << 48, 0);
}
