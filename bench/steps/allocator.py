"""An allocator that keeps its pages, for the peers: the very mimalloc that is built into fokker, with the same setting."""

import json
import subprocess
from pathlib import Path

from driver import ROOT, progress

# What glibc offers: no memory mapping for large blocks, and nothing given back.
GLIBC = {"MALLOC_MMAP_THRESHOLD_": str(1 << 34), "MALLOC_TRIM_THRESHOLD_": str(1 << 34), "MALLOC_TOP_PAD_": str(1 << 28)}


def environment(folder):
    """Variables for a peer's process, and the allocator's name."""
    try:
        library = build(folder)
    except (OSError, subprocess.CalledProcessError, StopIteration) as error:
        progress(f"mimalloc cannot be built as a library ({error}): the peers use glibc with raised thresholds")
        return GLIBC, "glibc, raised thresholds"
    return {"LD_PRELOAD": str(library), "MIMALLOC_PURGE_DELAY": "-1"}, "mimalloc"


def build(folder):
    """The shared library, from the source that the crate libmimalloc-sys brings."""
    command = ["cargo", "metadata", "--format-version", "1", "--manifest-path", str(ROOT / "Cargo.toml")]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["packages"]
    crate = next(Path(p["manifest_path"]).parent for p in packages if p["name"] == "libmimalloc-sys")
    source = next((crate / "c_src" / "mimalloc").glob("v3/src/static.c"))
    library = folder / "libmimalloc.so"
    flags = ["-O3", "-DNDEBUG", "-DMI_MALLOC_OVERRIDE", "-DMI_SHARED_LIB", "-DMI_SHARED_LIB_EXPORT", "-fPIC", "-shared", "-ftls-model=initial-exec"]
    include = source.parent.parent / "include"
    subprocess.run(["cc", *flags, f"-I{include}", str(source), "-o", str(library), "-lpthread"], check=True, capture_output=True)
    return library
