//! Sequential draws from one stream.

use super::Stream;
use super::elementary::{box_muller_f64, uniform, uniform_f64};

/// A walk over one stream's words, in order, for draws one after another.
///
/// A fresh cursor's `u32` are [`Stream::bits`], its `uniform` are [`Stream::uniforms`], and so for
/// `uniform_f64` and `normal_f64`; kinds may be mixed, every word is used once.
#[derive(Clone, Debug)]
pub struct Cursor {
    stream: Stream,
    words: [u32; 4],
    /// The index of the next word in the stream; `words` holds its block unless it begins one.
    next: u64,
    spare_normal: Option<f64>,
}

impl Cursor {
    pub(super) fn new(stream: Stream) -> Cursor {
        Cursor {
            stream,
            words: [0; 4],
            next: 0,
            spare_normal: None,
        }
    }

    /// 32 random bits.
    ///
    /// # Panics
    /// After the 2³⁴ words of a stream.
    pub fn u32(&mut self) -> u32 {
        let k = (self.next % 4) as usize;
        if k == 0 {
            let block = u32::try_from(self.next / 4)
                .expect("a random stream holds 2^34 words, and all of them were drawn");
            self.words = self.stream.block(block);
        }
        self.next += 1;
        self.words[k]
    }

    /// 64 random bits: two words, the first one leading.
    pub fn u64(&mut self) -> u64 {
        let hi = u64::from(self.u32());
        hi << 32 | u64::from(self.u32())
    }

    /// A uniform number in [0, 1) with 24 bits.
    pub fn uniform(&mut self) -> f32 {
        uniform(self.u32())
    }

    /// A uniform number in [0, 1) with 53 bits.
    pub fn uniform_f64(&mut self) -> f64 {
        let hi = self.u32();
        uniform_f64(hi, self.u32())
    }

    /// A standard normal number. They are made in pairs of four words; the second one of a pair is
    /// kept for the next call.
    pub fn normal_f64(&mut self) -> f64 {
        if let Some(y) = self.spare_normal.take() {
            return y;
        }
        let words = std::array::from_fn(|_| self.u32());
        let (x, y) = box_muller_f64(words);
        self.spare_normal = Some(y);
        x
    }

    /// An integer in [0, n), each with probability 1/n exactly (Lemire, *Fast random integer
    /// generation in an interval*, 2019).
    ///
    /// # Panics
    /// When `n` is 0, since the interval is empty.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "an integer below n needs n > 0, got 0");
        // The products x·n of which a multiple of n falls into each interval of 2⁶⁴ are kept.
        let rejected = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.u64()) * u128::from(n);
            if product as u64 >= rejected {
                return (product >> 64) as u64;
            }
        }
    }
}
