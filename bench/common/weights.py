"""The weights of a fokker run as PyTorch tensors."""

import json
import struct

import torch


def newest(run):
    """Tensors by name of the newest checkpoint: the moving average where there is one."""
    checkpoint = sorted((run / "checkpoints").iterdir())[-1]
    averaged = checkpoint / "ema.safetensors"
    return read(averaged if averaged.exists() else checkpoint / "model.safetensors")


def read(path):
    """The tensors of a safetensors file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            flat = torch.frombuffer(bytearray(data[8 + length + begin : 8 + length + end]), dtype=torch.float32)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors
