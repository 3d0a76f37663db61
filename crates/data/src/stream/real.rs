//! The two precisions.

/// A component of a state.
pub(super) trait Real: Copy + Send + Sync + zmij::Float {
    /// Appends the little-endian bytes.
    fn put(self, out: &mut Vec<u8>);
}

impl Real for f32 {
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}

impl Real for f64 {
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}
