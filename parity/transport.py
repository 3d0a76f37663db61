"""POT's exact, entropic and unbalanced optimal transport."""

import numpy
import ot

from fixture import write

random = numpy.random.default_rng(4)


def points(n, dim, scale):
    """Whole numbers: short in the file, exact in binary once divided by 64."""
    return numpy.rint(64 * scale * random.standard_normal((n, dim))).astype(int)


def weights(n):
    return numpy.rint(1 + 99 * random.random(n)).astype(int)


def exact():
    for dim in (2, 16):
        for n in (4, 16, 64, 256):
            x, y = points(n, dim, 1.0), points(n, dim, 2.0)
            cost = ot.dist(x / 64, y / 64, metric="sqeuclidean")
            equal = numpy.full(n, 1 / n)
            yield {
                "problem": "emd2",
                "dim": dim,
                "x": x.ravel().tolist(),
                "y": y.ravel().tolist(),
                "cost": float(ot.emd2(equal, equal, cost, numItermax=10**7)),
            }


def regularised(problem, settings, solve):
    for n, m, dim in ((7, 7, 2), (9, 6, 16)):
        x, y = points(n, dim, 1.0), points(m, dim, 1.5)
        wx, wy = weights(n), weights(m)
        # The whole numbers are the weights up to their total; POT gets them divided.
        a, b = wx / wx.sum(), wy / wy.sum()
        cost = ot.dist(x / 64, y / 64, metric="sqeuclidean")
        for setting in settings:
            plan = solve(a, b, cost, **setting)
            yield {
                "problem": problem,
                "dim": dim,
                "x": x.ravel().tolist(),
                "y": y.ravel().tolist(),
                "a": wx.tolist(),
                "b": wy.tolist(),
                **setting,
                "plan": plan.ravel().tolist(),
            }


def balanced(a, b, cost, reg):
    return ot.sinkhorn(a, b, cost, reg, method="sinkhorn_log", numItermax=20_000, stopThr=1e-11)


def unbalanced(a, b, cost, reg, reg_m):
    return ot.unbalanced.sinkhorn_unbalanced(
        a, b, cost, reg, reg_m, method="sinkhorn", reg_type="kl", numItermax=20_000, stopThr=1e-12
    )


write(
    "transport.json",
    [
        *exact(),
        *regularised("sinkhorn", [{"reg": reg} for reg in (0.5, 2.0, 20.0)], balanced),
        *regularised(
            "sinkhorn_unbalanced",
            [{"reg": reg, "reg_m": rho} for reg, rho in ((0.5, 1.0), (2.0, 0.3), (1.0, 20.0))],
            unbalanced,
        ),
    ],
)
