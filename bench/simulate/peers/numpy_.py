"""NumPy: standard normals by `Generator.standard_normal(out=…)` into a buffer that stays in cache, one thread."""

from harness import Case, measure, options

chosen = options("d")

import numpy as np

BUFFER = 65536


def fill(generator, buffer, count):
    for _ in range(count // BUFFER):
        generator.standard_normal(out=buffer, dtype=buffer.dtype)
    return buffer


def cases(count):
    count = max(1, count // BUFFER) * BUFFER
    for bits in (np.random.PCG64, np.random.Philox, np.random.SFC64):
        for name, dtype in (("f32", np.float32), ("f64", np.float64)):
            generator, buffer = np.random.Generator(bits(0)), np.empty(BUFFER, dtype)
            run = lambda g=generator, b=buffer: fill(g, b, count)
            yield Case(f"NumPy {bits.__name__}", np.__version__, name, count, 1, run, lambda x: x.astype(np.float64).var())


measure(chosen, cases(chosen.count))
