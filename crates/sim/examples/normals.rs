//! How many random numbers one thread makes per second.
//!
//! `cargo run --release -p fokker-sim --example normals` prints millions of numbers per second: with
//! AVX2 some 450 for f32 normals in long rows.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use fokker_sim::rng::{Purpose, Stream, normal_rows};

fn main() {
    const N: usize = 1 << 14; // stays in the cache: the generator is measured, not the memory
    let mut single = vec![0.0_f32; N];
    let mut double = vec![0.0_f64; N];
    let mut words = vec![0_u32; N];
    let stream = |i: u64| Stream::new(1, Purpose::Test, i, 0);

    rate("bits", N, |i| stream(i).bits(black_box(&mut words)));
    rate("uniforms f32", N, |i| {
        stream(i).uniforms(black_box(&mut single))
    });
    rate("normals f32", N, |i| {
        stream(i).normals(black_box(&mut single))
    });
    rate("uniforms f64", N, |i| {
        stream(i).uniforms_f64(black_box(&mut double))
    });
    rate("normals f64", N, |i| {
        stream(i).normals_f64(black_box(&mut double))
    });
    for dim in [1, 2, 3, 4, 16, 784] {
        let rows = (N / dim) as u64;
        let out = &mut single[..rows as usize * dim];
        rate(&format!("normal rows, dim {dim}"), out.len(), |i| {
            normal_rows(1, Purpose::Test, i..i + rows, 0, dim, black_box(out));
        });
    }
}

/// Prints the best rate of several tries, in millions of numbers per second.
fn rate(name: &str, numbers: usize, mut make: impl FnMut(u64)) {
    const REPEATS: u64 = 20;
    let best = (0..200)
        .map(|_| {
            let start = Instant::now();
            (0..REPEATS).for_each(&mut make);
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    let rate = (numbers as u64 * REPEATS) as f64 / best / 1e6;
    println!("{name:24} {rate:8.0} M/s");
}
