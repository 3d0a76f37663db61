"""Facts about the machine a table was measured on."""

import os
import platform
import sys
from pathlib import Path

VECTOR_FLAGS = ("avx", "avx2", "fma", "avx512f", "avx512dq", "avx512vl", "asimd", "sve")


def facts():
    model, flags = cpu()
    return {
        "cpu": model,
        "vector_flags": [flag for flag in VECTOR_FLAGS if flag in flags],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": sys.version.split()[0],
    }


def cpu():
    """The processor's name and its instruction-set flags (empty where the system does not tell)."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine(), set()
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    return fields.get("model name", platform.machine()), set(fields.get("flags", fields.get("Features", "")).split())


# A run on a machine with more load than this before it starts is not worth publishing: libraries whose threads meet
# at a barrier after every operation lose far more than their share of the cores, which the ratio cannot cancel.
BUSY = 0.3


def is_busy(machine):
    return (machine["load_average"] or 0.0) > BUSY


def sentence(machine):
    """Processor, instruction sets, cores and system, as the line under a table begins."""
    flags = " ".join(machine["vector_flags"]) or "unknown"
    return f"{machine['cpu']} ({flags}), {machine['cores']} cores, {machine['system']}"
