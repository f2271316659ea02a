"""Logits and greedy tokens of the checkpoint by plain PyTorch in float32, for whoever checks an engine: CHECKPOINT TOKENIZER OUT.safetensors"""
import sys

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from evaluate import advance, load

model, _ = load(sys.argv[1])
tok = Tokenizer.from_file(sys.argv[2])
out, gap = {}, 1e9
for i, text in enumerate(("class Mean:\n    def __init__(self, values):\n        self.values = values\n\n    def value(self):\n        return",
                          "import os\n\n\ndef load(path):\n    with open(path")):
    ids = torch.tensor(tok.encode(text).ids)
    with torch.no_grad():
        out[f"ids.{i}"], out[f"logits.{i}"] = ids, model(ids[None])[0].contiguous()
    out[f"greedy_prompt.{i}"], new, cache, step = ids.clone(), [], [], ids[None]
    for _ in range(24):
        logits = advance(model, step, cache)[0]
        best = torch.topk(logits, 2).values
        gap = min(gap, (best[0] - best[1]).item())
        new.append(int(logits.argmax()))
        step = torch.tensor([[new[-1]]])
    out[f"greedy.{i}"] = torch.tensor(new)
    print(repr(tok.decode(new)))
save_file(out, sys.argv[3], metadata={"min_gap": f"{gap:.6f}"})
print("min_gap", gap)
