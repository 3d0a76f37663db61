//! The course's labs that train networks, every learned object beside its exact one.
//!
//! | module | holds |
//! |---|---|
//! | [`two`] | lab two: probability paths, flow matching, score matching, the SDE extension, couplings |
//! | [`three`] | lab three: a conditional image generator, on pixels and in latents |

pub mod three;
pub mod two;
