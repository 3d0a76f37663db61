"""Proves that the fixture holds all that is needed: samplers written anew, in numpy, from the file alone."""

import numpy


def denoise(x, alpha, beta):
    r = numpy.hypot(alpha, beta)
    y = x / r
    return 0.6 * numpy.tanh(1.7 * y) + 0.3 * alpha / r * y + 0.1 * y.mean(axis=1, keepdims=True)


def gamma(case, i):
    return case["options"].get("gammas", [0.0] * len(case["states"]))[i]


def euler(case, i, x, normal):
    """The line through D and ε̂ to the next time, from the time to which noise was put back."""
    (a, b), (c, d) = ((case["alpha"][j], case["beta"][j]) for j in (i, i + 1))
    if gamma(case, i) > 0:
        hat = b * (1 + gamma(case, i))
        x = x + (hat**2 - b**2) ** 0.5 * case["options"]["S_noise"] * normal()
        b = hat
    z = denoise(x, a, b)
    return c * z + d * (x - a * z) / b


def ddim(case, i, x, normal):
    (a, b), (c, d) = ((case["alpha"][j], case["beta"][j]) for j in (i, i + 1))
    z = denoise(x, a, b)
    std = case["parameter"] * d / b * max(1 - (a / c) ** 2, 0.0) ** 0.5
    x = c * z + (d**2 - std**2) ** 0.5 * (x - a * z) / b
    return x + std * normal() if std > 0 else x


def ancestral(case, i, x, normal):
    b, d = case["beta"][i : i + 2]
    up = min(d, case["parameter"] * d * (1 - d**2 / b**2) ** 0.5)
    z = denoise(x, 1.0, b)
    x = z + (d**2 - up**2) ** 0.5 * (x - z) / b
    return x + up * normal() if up > 0 else x


def check(cases):
    checked = {"euler": euler, "euler-churn": euler, "ddim": ddim, "euler-ancestral": ancestral}
    for case in cases:
        if case["sampler"] not in checked:
            continue
        shape = (case["rows"], case["dim"])
        noise = iter(case["noise"])
        normal = lambda: numpy.reshape(next(noise), shape)
        x = numpy.reshape(case["x"], shape)
        worst = 0.0
        for i, expected in enumerate(case["states"]):
            x = checked[case["sampler"]](case, i, x, normal)
            worst = max(worst, numpy.abs(x.ravel() - expected).max() / max(1.0, numpy.abs(expected).max()))
        assert next(noise, None) is None, f"{case['peer']}: draws left over"
        assert worst < 1e-12, f"{case['peer']} on {case['schedule']}: {worst:.1e} off"
        print(f"{worst:.1e}  {case['sampler']:16} {case['peer']}")
