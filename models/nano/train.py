"""Train nano: DATA/{train,valid}.npy -> RUN/last.pt (to resume), RUN/nano.pt (the checkpoint), RUN/log.jsonl.

The schedule follows elapsed training time, so the run ends when its minutes are spent, whatever else the machine does.
Time in which the process was stopped (SIGSTOP) does not count, and neither does time before a resume.
"""
import argparse
import collections
import copy
import json
import math
import os
import pathlib
import time

import numpy as np
import torch

from model import CONFIG, SmallCoder

TOKENS = 6144          # a step's batch
SHORT, LONG = 256, 512  # context of the first part, and of the rest
LONG_FROM = 0.80
WARM, DECAY_FROM = 0.01, 0.35
MUON_LR, ADAM_LR, FLOOR = 0.02, 0.004, 0.02
AVERAGE = 0.995


def orthogonal(g):
    """Newton-Schulz iteration towards the nearest semi-orthogonal matrix (the Muon update)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        s = x @ x.mT
        x = a * x + (b * s + c * (s @ s)) @ x
    return (x.mT if tall else x).float()


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.95, decay=0.05):
        super().__init__(params, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["m"] = torch.zeros_like(p)
                state["m"].lerp_(p.grad, 1 - group["momentum"])
                update = orthogonal(p.grad.lerp(state["m"], group["momentum"]))
                p.mul_(1 - group["lr"] * group["decay"])
                p.add_(update, alpha=-group["lr"] * max(1, p.shape[0] / p.shape[1]) ** 0.5)


def scale(progress):
    if progress < WARM:
        return progress / WARM + 0.01
    if progress < DECAY_FROM:
        return 1.0
    return FLOOR + (1 - FLOOR) * (1 - (progress - DECAY_FROM) / (1 - DECAY_FROM))


class Stream:
    """Windows of the packed text in a seeded random order, each token once an epoch."""

    def __init__(self, ids, seed):
        self.ids, self.seed, self.taken = ids, seed, 0

    def batch(self, length):
        rows = TOKENS // length
        per_epoch = (len(self.ids) - 1 - SHORT) // SHORT
        out = []
        for _ in range(rows):
            epoch, i = divmod(self.taken // SHORT, per_epoch)
            order = self.order(epoch, per_epoch)
            start = min(int(order[i]) * SHORT + (epoch * 97) % SHORT, len(self.ids) - length - 1)
            out.append(self.ids[start:start + length + 1])
            self.taken += length
        rows = torch.from_numpy(np.stack(out).astype(np.int64))
        return rows[:, :-1].contiguous(), rows[:, 1:].contiguous()

    def order(self, epoch, n):
        if getattr(self, "_epoch", None) != epoch:
            self._epoch, self._order = epoch, np.random.default_rng(self.seed + epoch).permutation(n)
        return self._order


@torch.no_grad()
def held_out(model, ids, bytes_, windows=None):
    """Mean loss (nats a token) and bits per byte of the held-out text, in windows of LONG tokens."""
    n = (len(ids) - 1) // LONG
    chosen = range(n) if windows is None else np.linspace(0, n - 1, windows).astype(int)
    total = 0.0
    chosen = list(chosen)
    for i in range(0, len(chosen), 8):
        part = np.stack([ids[k * LONG:k * LONG + LONG + 1] for k in chosen[i:i + 8]]).astype(np.int64)
        part = torch.from_numpy(part)
        with torch.autocast("cpu", torch.bfloat16):
            total += model.loss(part[:, :-1], part[:, 1:]).item() * len(part)
    loss = total / len(chosen)
    return loss, loss / math.log(2) * len(ids) / bytes_


def save(model, path, step, train_loss, val_loss):
    state = collections.OrderedDict((k, v.detach().to(torch.float16).clone()) for k, v in model.state_dict().items())
    assert all(torch.isfinite(v).all() for v in state.values())
    temporary = path.with_suffix(".tmp")
    torch.save({"model_state_dict": state, "config": dict(CONFIG), "epoch": 0, "step": step,
                "train_loss": train_loss, "val_loss": val_loss}, temporary)
    os.replace(temporary, path)


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("data", type=pathlib.Path)
    ask.add_argument("run", type=pathlib.Path)
    ask.add_argument("--minutes", type=float, default=75)
    ask.add_argument("--until", type=float, help="end at this epoch second instead (a fixed deadline)")
    ask.add_argument("--steps", type=int, default=0, help="stop early (for a trial)")
    args = ask.parse_args()
    args.run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    torch.set_num_threads(2)
    train, valid = np.load(args.data / "train.npy"), np.load(args.data / "valid.npy")
    valid_bytes = json.loads((args.data / "tokens.json").read_text())["valid_text_bytes"]
    model = SmallCoder(CONFIG)
    average = copy.deepcopy(model)
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.dim() != 2 or "embed" in n]
    muon = Muon(matrices, MUON_LR)
    adam = torch.optim.AdamW(others, lr=ADAM_LR, betas=(0.9, 0.95), eps=1e-10, weight_decay=0.0)
    stream, step, spent, seen = Stream(train, 7), 0, 0.0, 0
    last = args.run / "last.pt"
    if last.exists():
        s = torch.load(last, weights_only=False)
        model.load_state_dict(s["model"]), average.load_state_dict(s["average"])
        muon.load_state_dict(s["muon"]), adam.load_state_dict(s["adam"])
        stream.taken, step, spent, seen = s["taken"], s["step"], s["spent"], s["seen"]
    compiled = torch.compile(model.loss)
    log = open(args.run / "log.jsonl", "a", buffering=1)
    budget, recent, saved, checked, loss_v = args.minutes * 60, [], time.time(), time.process_time(), float("nan")
    while True:
        begin = time.time()
        budget_now = spent + args.until - begin if args.until else budget
        progress = min(1.0, spent / max(budget_now, 1.0))
        if progress >= 1.0 or (args.steps and step >= args.steps):
            break
        x, y = stream.batch(LONG if progress >= LONG_FROM else SHORT)
        with torch.autocast("cpu", torch.bfloat16):
            loss = compiled(x, y)
        loss.backward()
        rate = scale(progress)
        for g in muon.param_groups:
            g["lr"], g["momentum"] = MUON_LR * rate, min(0.95, 0.85 + step / 3000)
        for g in adam.param_groups:
            g["lr"] = ADAM_LR * rate
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        muon.step(), adam.step()
        muon.zero_grad(), adam.zero_grad()
        keep = min(AVERAGE, 1 - 1 / (step / 10 + 2))
        with torch.no_grad():
            for a, p in zip(average.parameters(), model.parameters()):
                a.lerp_(p, 1 - keep)
        step, seen = step + 1, seen + x.numel()
        recent.append(loss.item())
        recent = recent[-100:]
        spent += min(time.time() - begin, 60.0)  # a stop is not training time
        if step % 20 == 0:
            log.write(json.dumps({"step": step, "tokens": seen, "seconds": round(spent, 1), "progress": round(progress, 4),
                                  "loss": round(float(np.mean(recent[-20:])), 4), "rate": round(rate, 4)}) + "\n")
        if time.time() - saved > 180:
            saved = time.time()
            if time.process_time() - checked > 240:  # by processor time: a check must stay cheap on a busy machine
                checked = time.process_time()
                loss_v, bpb = held_out(average, valid, valid_bytes, 48)
                log.write(json.dumps({"step": step, "tokens": seen, "seconds": round(spent, 1), "val": round(loss_v, 4), "bpb": round(bpb, 4)}) + "\n")
            save(average, args.run / "nano.pt", step, float(np.mean(recent)), loss_v)
            torch.save({"model": model.state_dict(), "average": average.state_dict(), "muon": muon.state_dict(), "adam": adam.state_dict(),
                        "taken": stream.taken, "step": step, "spent": spent, "seen": seen}, args.run / "last.tmp")
            os.replace(args.run / "last.tmp", last)
    final = {name: held_out(m, valid, valid_bytes, 48)[0] for name, m in (("average", average), ("last", model))}
    best = min(final, key=final.get)
    chosen = {"average": average, "last": model}[best]
    save(chosen, args.run / "nano.pt", step, float(np.mean(recent)), final[best])
    loss_v, bpb = held_out(chosen, valid, valid_bytes)
    save(chosen, args.run / "nano.pt", step, float(np.mean(recent)), loss_v)
    log.write(json.dumps({"final": best, "step": step, "tokens": seen, "seconds": round(spent, 1), "val": round(loss_v, 4), "bpb": round(bpb, 4),
                          "choice": {k: round(v, 4) for k, v in final.items()}}) + "\n")


if __name__ == "__main__":
    main()
