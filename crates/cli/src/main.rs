//! The fokker binary.
fn main() {}
