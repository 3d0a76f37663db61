//! Train, sample, steer, evaluate and explain flow and diffusion models
