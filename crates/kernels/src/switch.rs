//! Which path a call takes.

use crate::raw::Level;
use burn::backend::DispatchDevice;
use burn::tensor::{DType, Tensor};
use std::sync::atomic::{AtomicBool, Ordering};

static REFERENCE: AtomicBool = AtomicBool::new(false);

/// Sends every later call in this process to the plain burn form (`true`) or to the fast path where there is one
/// (`false`, the default). For side-by-side checks and timings.
pub fn use_reference(on: bool) {
    REFERENCE.store(on, Ordering::Relaxed);
}

/// The instructions that the fast path uses on this processor: `"AVX-512"`, `"AVX2"` or `"portable"`.
pub fn simd_level() -> &'static str {
    Level::best().name()
}

/// Whether the fast path may take this tensor: f32, not empty, on the flex device.
pub(crate) fn is_fast<const D: usize>(x: &Tensor<D>) -> bool {
    !REFERENCE.load(Ordering::Relaxed)
        && x.dtype() == DType::F32
        && x.dims().iter().all(|&d| d > 0)
        && matches!(
            x.device().without_autodiff().as_dispatch(),
            DispatchDevice::Flex(_)
        )
}

/// Whether the tensor lies on an autodiff device.
pub(crate) fn is_tracked<const D: usize>(x: &Tensor<D>) -> bool {
    x.device().is_autodiff()
}
