//! Checks of the expression compiler against recursive evaluation, closed forms and plain Rust.

mod compiled;
mod errors;
mod functions;
mod parsing;
mod system;
mod trees;
