"""Steps the samplers of diffusers, k-diffusion and NVlabs/edm in f64 on a denoiser in closed form, with given noise.

    python parity/samplers.py [CHECKOUT_OF_NVLABS_EDM]
"""

import sys

import samplers_diffusers
import samplers_edm
import samplers_k
from fixture import path, read, write
from samplers_check import check

NAME, CRATE = "samplers.json", "core"


def edm():
    if len(sys.argv) > 1:
        return list(samplers_edm.cases(sys.argv[1]))
    kept = read(NAME, CRATE) if path(NAME, CRATE).exists() else []
    print("no checkout of github.com/NVlabs/edm was given: its cases stay as they are in the file")
    return [case for case in kept if case["peer"].startswith(samplers_edm.PEER)]


write(NAME, [*samplers_diffusers.cases(), *samplers_k.cases(), *edm()], CRATE)
check(read(NAME, CRATE))
