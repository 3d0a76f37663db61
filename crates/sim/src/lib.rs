//! Counter-based random numbers, made in SIMD, the same bits everywhere
