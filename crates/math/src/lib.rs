//! The mathematics of flow and diffusion models on paper: f64, no tensors
