"""x_t and u_t of torchcfm's matchers; values of flow_matching's schedulers."""

import torch
import torchcfm
from flow_matching.path import scheduler as schedulers

from fixture import write

torch.set_default_dtype(torch.float64)


def matchers():
    generator = torch.Generator().manual_seed(4)
    t = torch.tensor([0.01, 0.125, 0.3, 0.5, 0.77, 0.95, 0.99])
    x0, x1, eps = (torch.randn(len(t), 2, generator=generator) for _ in range(3))
    for ours, matcher, sigma in [
        ("linear", torchcfm.ConditionalFlowMatcher, 0.0),
        ("linear-noise", torchcfm.ConditionalFlowMatcher, 0.3),
        ("condot-floor", torchcfm.TargetConditionalFlowMatcher, 0.0),
        ("condot-floor", torchcfm.TargetConditionalFlowMatcher, 0.3),
        ("bridge", torchcfm.SchrodingerBridgeConditionalFlowMatcher, 1.0),
        ("bridge", torchcfm.SchrodingerBridgeConditionalFlowMatcher, 0.3),
        ("trigonometric", torchcfm.VariancePreservingConditionalFlowMatcher, 0.0),
        ("trigonometric", torchcfm.VariancePreservingConditionalFlowMatcher, 0.3),
    ]:
        peer = matcher(sigma=sigma)
        # The matchers broadcast times themselves, those written for batches want them as a column.
        column = t[:, None]
        xt = peer.compute_mu_t(x0, x1, column) + torchcfm.conditional_flow_matching.pad_t_like_x(
            peer.compute_sigma_t(column), x0
        ) * eps
        assert torch.equal(xt, peer.sample_xt(x0, x1, t, eps))
        ut = peer.compute_conditional_flow(x0, x1, t, xt)
        yield {
            "interpolant": ours,
            "peer": matcher.__name__,
            "sigma": sigma,
            "t": t.tolist(),
            "x0": x0.tolist(),
            "x1": x1.tolist(),
            "eps": eps.tolist(),
            "xt": xt.tolist(),
            "ut": ut.tolist(),
        }


def values():
    t = torch.tensor([0.001, 0.01, 0.05, 0.2, 0.37, 0.5, 0.66, 0.8, 0.95, 0.99, 0.999])
    for ours, n, peer in [
        ("condot", 0, schedulers.CondOTScheduler()),
        ("polynomial", 2, schedulers.PolynomialConvexScheduler(2)),
        ("polynomial", 5, schedulers.PolynomialConvexScheduler(5)),
        ("vp", 0, schedulers.VPScheduler()),
        ("cosine", 0, schedulers.CosineScheduler()),
    ]:
        at = peer(t)
        snr = torch.tensor([0.05, 0.3, 1.0, 2.5, 40.0])
        yield {
            "scheduler": ours,
            "n": n,
            "peer": type(peer).__name__,
            "t": t.tolist(),
            "alpha": at.alpha_t.tolist(),
            "beta": at.sigma_t.tolist(),
            "d_alpha": at.d_alpha_t.tolist(),
            "d_beta": at.d_sigma_t.tolist(),
            "snr": snr.tolist(),
            "time_of_snr": peer.snr_inverse(snr).tolist(),
        }


write("matchers.json", matchers())
write("schedulers.json", values())
