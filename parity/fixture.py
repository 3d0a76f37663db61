"""Writes a fixture: JSON with every digit, one entry per line so that a change can be read."""

import json
from pathlib import Path

CRATES = Path(__file__).parent.parent / "crates"


def path(name, crate="math"):
    return CRATES / crate / "tests" / "fixtures" / name


def write(name, entries, crate="math"):
    file = path(name, crate)
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    file.write_text(f"[\n{lines}\n]\n")
    print(file, file.stat().st_size, "bytes")


def read(name, crate="math"):
    return json.loads(path(name, crate).read_text())
