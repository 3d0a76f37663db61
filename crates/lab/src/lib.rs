//! Ready-made experiments: from plain settings to numbers, checks and pictures.
//!
//! | module | holds |
//! |---|---|
//! | [`simulation`] | one ensemble of a named or a written-down process: run it, sum it up, draw it |
//! | [`one`] | the course's first lab, every figure beside its closed form |
//! | [`check`], [`report`] | measurements beside closed forms, and the page of a lab |

pub mod check;
pub mod one;
pub mod report;
pub mod simulation;
