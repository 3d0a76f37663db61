//! The course's labs that train networks, every learned object beside its exact one.
//!
//! | module | holds |
//! |---|---|
//! | [`two`] | lab two: probability paths, flow matching, score matching, the SDE extension, couplings |

pub mod two;
