//! Data sets: toy distributions, IDX, image folders, NumPy arrays, embedded garments
