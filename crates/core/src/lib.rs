//! Probability paths, losses, denoisers, guidance and samplers on tensors
