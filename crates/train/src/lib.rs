//! Configuration, trainer, moving averages, checkpoints, run folders
