//! Memory: output buffers that are not zeroed first, working space kept per thread, and rows shared out to threads.

use std::cell::RefCell;
use std::marker::PhantomData;

/// A vector of `n` values that the caller writes, every one, before any is read.
///
/// Zeroing costs up to a tenth of a convolution, and the tensors made here are always filled whole.
pub(crate) fn unfilled(n: usize) -> Vec<f32> {
    let mut v = Vec::with_capacity(n);
    // SAFETY: the capacity is there, every bit pattern is an f32, and each caller fills the whole vector.
    #[allow(clippy::uninit_vec)]
    unsafe {
        v.set_len(n);
    }
    v
}

thread_local! {
    static SPACE: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Lends `n` values of this thread's working space; their contents are arbitrary.
///
/// A call inside a call gets fresh memory, so that it stays right should a work-stealing thread nest them.
pub(crate) fn with_space<R>(n: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    SPACE.with(|cell| match cell.try_borrow_mut() {
        Ok(mut space) => {
            if space.len() < n {
                space.resize(n, 0.0);
            }
            f(&mut space[..n])
        }
        Err(_) => f(&mut vec![0.0; n]),
    })
}

/// A slice whose disjoint parts are written by several threads.
pub(crate) struct Shared<'a> {
    ptr: *mut f32,
    len: usize,
    life: PhantomData<&'a mut [f32]>,
}

// SAFETY: the parts handed out are disjoint by the contract of `part`.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    /// Takes a slice to share out.
    pub(crate) fn new(slice: &'a mut [f32]) -> Self {
        Self {
            ptr: slice.as_mut_ptr(),
            len: slice.len(),
            life: PhantomData,
        }
    }

    /// The values `start .. start + len`.
    ///
    /// # Safety
    /// No two parts that are alive at the same time may overlap.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn part(&self, start: usize, len: usize) -> &mut [f32] {
        assert!(
            start <= self.len && len <= self.len - start,
            "part {start}+{len} of {}",
            self.len
        );
        // SAFETY: inside the slice by the assertion, disjoint by the contract.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.add(start), len) }
    }

    /// Where the values `start .. start + len` begin, for work that writes only some of them.
    pub(crate) fn place(&self, start: usize, len: usize) -> *mut f32 {
        assert!(
            start <= self.len && len <= self.len - start,
            "place {start}+{len} of {}",
            self.len
        );
        // SAFETY: inside the slice by the assertion.
        unsafe { self.ptr.add(start) }
    }
}
