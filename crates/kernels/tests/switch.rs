//! The process-wide switch, in a process of its own.

use burn::tensor::{Device, Tensor};
use fokker_kernels::{reference, silu, simd_level, use_reference};

#[test]
fn the_switch_sends_calls_to_the_plain_form_and_back() {
    let x = Tensor::<1>::from_floats(
        std::array::from_fn::<f32, 4096, _>(|i| (i as f32 - 2048.0) / 97.0),
        &Device::flex(),
    );
    let bits = |t: Tensor<1>| -> Vec<u32> {
        t.into_data()
            .try_to_vec::<f32>()
            .expect("f32")
            .iter()
            .map(|v| v.to_bits())
            .collect()
    };
    let (fast, plain) = (bits(silu(x.clone())), bits(reference::silu(x.clone())));
    assert_ne!(fast, plain, "the two paths round differently somewhere");
    use_reference(true);
    assert_eq!(bits(silu(x.clone())), plain);
    use_reference(false);
    assert_eq!(bits(silu(x)), fast);
    assert!(["AVX-512", "AVX2", "portable"].contains(&simd_level()));
}
