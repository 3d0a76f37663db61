"""Writes a fixture: JSON with every digit, one entry per line so that a change can be read."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "crates" / "math" / "tests" / "fixtures"


def write(name, entries):
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    (FOLDER / name).write_text(f"[\n{lines}\n]\n")
    print(FOLDER / name, (FOLDER / name).stat().st_size, "bytes")
