//! Fused tensor operations for the CPU, each with a plain-burn reference
