//! Differential equations as text: `-theta*x` becomes a [`System`], which every solver takes.
//!
//! ```
//! use fokker_sim::expr::System;
//! use fokker_sim::process::{NoiseKind, Process};
//!
//! let pendulum = System::builder()
//!     .drift("q' = p; p' = -sin(q) - gamma*p")
//!     .diffusion("0; sqrt(2*gamma)")
//!     .param("gamma", 0.25)
//!     .build()?;
//! assert_eq!(pendulum.names(), ["q", "p"]);
//! assert_eq!(pendulum.noise_dim(), 1);
//! assert_eq!(pendulum.noise_kind(), NoiseKind::Additive);
//!
//! let mistake = System::builder().drift("-thta*x").param("theta", 0.25).build();
//! assert_eq!(
//!     mistake.unwrap_err().to_string(),
//!     "unknown name `thta` in the drift\n  -thta*x\n   ^^^^ did you mean `theta`?\n\
//!      known names: x, t, theta"
//! );
//! # Ok::<(), fokker_sim::expr::ExprError>(())
//! ```
//!
//! # The language
//!
//! - Numbers `1`, `.5`, `1e-3`; the time `t`; the constants `pi` (or `π`) and `e`; names of
//!   components and parameters, of letters (of any alphabet), digits and `_`.
//! - `+ - * / ^` and parentheses, with the usual precedence: `-x^2` is −(x²), `a^b^c` is a^(b^c).
//!   `**`, `·`, `×`, `÷`, `−`, `²` and the like are understood. Multiplication is always written.
//! - `if(a < b, c, d)` (or `where`), with `<`, `<=`, `>` or `>=`.
//! - `exp`, `ln` (or `log`), `log2`, `log10`, `sqrt`, `cbrt`, `square`, `pow`; `sin`, `cos`, `tan`,
//!   `asin`, `acos`, `atan`, `sinh`, `cosh`, `tanh`; `abs`, `sign` (0 at 0), `floor`, `ceil`,
//!   `step` (or `heaviside`, 1 at 0), `min(a, b)`, `max(a, b)`, `clamp(a, low, high)`;
//!   `sigmoid(a)` = 1/(1 + e⁻ᵃ), `softplus(a)` = ln(1 + eᵃ).
//!
//! # What it is computed by
//!
//! An expression is compiled to a [`Program`]: parts that occur more than once, also in different
//! components, are computed once, and parts without a state or the time when it is compiled, in
//! double precision. Nothing else is rearranged and no multiply-add is fused, so the bits in double
//! precision are those of the formula as it is written. Whole powers up to 1024 are multiplied out
//! ([`Lane::powi`](crate::lane::Lane::powi)), powers ±½ are roots, other powers are
//! [`Lane::powf`](crate::lane::Lane::powf). NaN passes through every function, except `min` and
//! `max` of two values that both change, which are [`Lane::min`](crate::lane::Lane::min) and
//! [`Lane::max`](crate::lane::Lane::max).

mod ast;
mod builder;
mod compile;
mod error;
mod fuse;
mod graph;
mod lex;
mod lower;
mod names;
mod noise;
mod op;
mod parse;
mod print;
mod program;
mod system;

#[cfg(test)]
mod tests;

pub use builder::SystemBuilder;
pub use error::{ExprError, Span};
pub(crate) use print::number;
pub use program::Program;
pub use system::System;
