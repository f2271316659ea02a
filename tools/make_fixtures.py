#!/usr/bin/env python3
"""Makes the tiny PyTorch files of test/data/torch. Needs PyTorch. usage: make_fixtures.py OUT_DIR

All but `other` and `evil` hold the tensors a (2 x 3, 0 to 5), b (3, halves), c (empty) and, in `views`, a transposed and a shared one.
"""
import collections
import os
import pickle
import sys
import zipfile

import torch


def model():
    return collections.OrderedDict(
        a=torch.arange(6, dtype=torch.float32).reshape(2, 3),
        b=torch.tensor([0.5, 1.5, -2.0], dtype=torch.float16),
        c=torch.zeros(0, 4),
    )


class Run:
    def __reduce__(self):
        return (os.system, ("true",))


class Opaque:
    """A class of somebody's own program."""


def main(out):
    os.makedirs(out, exist_ok=True)
    path = lambda name: os.path.join(out, name + ".pt")
    config = {"vocab_size": 7, "rope_scaling": None, "rms_norm_eps": 1e-6, "tied": True, "dtype": torch.float16}
    whole = {"model_state_dict": model(), "config": config, "epoch": 3, "val_loss": 1.25,
             "optimizer_state_dict": {"state": {0: {"exp_avg": torch.ones(4)}}, "param_groups": [{"lr": 0.1}]}}
    torch.save(whole, path("zip"))
    torch.save(whole, path("proto4"), pickle_protocol=4)
    torch.save(whole, path("legacy"), _use_new_zipfile_serialization=False)
    torch.save(model(), path("bare"))
    views = model()
    base = torch.arange(12, dtype=torch.float32)
    views["a"] = torch.arange(6, dtype=torch.float32).reshape(3, 2).t().contiguous().t().t()
    views["a"] = torch.tensor([[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]).t()
    views["d"] = base[4:8]
    views["e"] = base.reshape(3, 4)[:, 1]
    torch.save({"model_state_dict": views}, path("views"))
    other = {"model_state_dict": model(), "args": Opaque()}
    torch.save(other, path("other"))
    # torch.save would run nothing, but torch.load would: the file names os.system.
    with zipfile.ZipFile(path("evil"), "w", zipfile.ZIP_STORED) as z:
        z.writestr("evil/data.pkl", pickle.dumps({"model_state_dict": Run()}, protocol=2))


main(sys.argv[1])
