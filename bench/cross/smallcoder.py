#!/usr/bin/env python3
"""Random SmallCoder checkpoints in the trainer's forms: scbench's logits against the definition, restated in float64.

  smallcoder.py --scbench build/scbench --work DIR [--n 30] [--seed 1]

Needs torch.
"""
import argparse, json, os, random, subprocess, sys
import torch
from safetensors.torch import load_file

R = random.Random()
pick = lambda *a: R.choice(a)
maybe = lambda p=0.5: R.random() < p


def forward(sd, c, ids):
    sd = {k: v.double() for k, v in sd.items()}
    n, kv, eps = c["num_attention_heads"], c["num_key_value_heads"], c["rms_norm_eps"]
    rms = lambda x, w: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * w
    x = sd["model.embed_tokens.weight"][torch.tensor(ids)]
    t, h = x.shape
    d = h // n
    inv = 1.0 / (c["rope_theta"] ** (torch.arange(0, d, 2).float() / d))
    a = torch.arange(t).float()[:, None] * inv
    cos, sin = (torch.cat([f(a), f(a)], -1).double()[:, None] for f in (torch.cos, torch.sin))
    turn = lambda q: q * cos + torch.cat([-q[..., d // 2:], q[..., : d // 2]], -1) * sin
    mask = torch.full((t, t), float("-inf"), dtype=torch.double).triu(1)
    for i in range(c["num_hidden_layers"]):
        w = lambda k: sd[f"model.layers.{i}.{k}.weight"]
        y = rms(x, w("input_layernorm"))
        q, k, v = (y @ w(f"self_attn.{m}_proj").T for m in "qkv")
        q, k, v = turn(q.view(t, n, d)), turn(k.view(t, kv, d)), v.view(t, kv, d)
        k, v = k.repeat_interleave(n // kv, 1), v.repeat_interleave(n // kv, 1)
        s = torch.einsum("qhd,khd->hqk", q, k) / d**0.5 + mask
        x = x + torch.einsum("hqk,khd->qhd", s.softmax(-1), v).reshape(t, h) @ w("self_attn.o_proj").T
        y = rms(x, w("post_attention_layernorm"))
        x = x + (torch.nn.functional.silu(y @ w("mlp.gate_proj").T) * (y @ w("mlp.up_proj").T)) @ w("mlp.down_proj").T
    return rms(x, sd["model.norm.weight"]) @ sd.get("lm_head.weight", sd["model.embed_tokens.weight"]).T


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--scbench", default="build/scbench")
    p.add_argument("--work", required=True)
    p.add_argument("--n", type=int, default=30)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--levels", default="ref,avx2,avx512")
    a = p.parse_args()
    os.makedirs(a.work, exist_ok=True)
    torch.set_num_threads(1)
    worst = bad = 0
    for i in range(a.n):
        R.seed(f"smallcoder-{a.seed}-{i}")
        torch.manual_seed(i)
        with_config = maybe(0.7)
        n, kv = pick((4, 4), (8, 4), (16, 4), (4, 1), (6, 2), (3, 3)) if with_config else (16, 4)
        d = pick(4, 8, 10, 24, 32) if with_config else pick(4, 8, 10)
        c = dict(vocab_size=pick(64, 97, 200), hidden_size=n * d, intermediate_size=pick(32, 50, 129), num_hidden_layers=pick(1, 2, 4), num_attention_heads=n, num_key_value_heads=kv,
                 max_position_embeddings=pick(64, 128), rms_norm_eps=1e-6, rope_theta=10000.0, attention_dropout=0.0, hidden_dropout=0.0, use_cache=True, pad_token_id=0, bos_token_id=1, eos_token_id=2,
                 tie_word_embeddings=True, rope_scaling=None)
        if with_config:
            if maybe(0.3): c["rope_theta"] = pick(500000.0, 100.0)
            if maybe(0.3): c["rms_norm_eps"] = 1e-5
            if maybe(0.3): c["tie_word_embeddings"] = False
        h, f, sd = c["hidden_size"], c["intermediate_size"], {}
        m = lambda o, j: torch.randn(o, j) * 1.3 / j**0.5
        sd["model.embed_tokens.weight"] = torch.randn(c["vocab_size"], h) * 0.7
        for l in range(c["num_hidden_layers"]):
            for k, w in dict(input_layernorm=1 + 0.3 * torch.randn(h), post_attention_layernorm=1 + 0.3 * torch.randn(h)).items(): sd[f"model.layers.{l}.{k}.weight"] = w
            for k, o, j in (("self_attn.q_proj", h, h), ("self_attn.k_proj", kv * d, h), ("self_attn.v_proj", kv * d, h), ("self_attn.o_proj", h, h), ("mlp.gate_proj", f, h), ("mlp.up_proj", f, h), ("mlp.down_proj", h, f)):
                sd[f"model.layers.{l}.{k}.weight"] = m(o, j)
        sd["model.norm.weight"] = 1 + 0.3 * torch.randn(h)
        if not c["tie_word_embeddings"]: sd["lm_head.weight"] = m(c["vocab_size"], h)
        dtype = pick(torch.float32, torch.float32, torch.float16, torch.bfloat16)
        sd = {k: v.to(dtype) for k, v in sd.items()}
        if c["tie_word_embeddings"] and maybe(0.3): sd["lm_head.weight"] = sd["model.embed_tokens.weight"]
        if maybe(0.3): sd["model.layers.0.mlp.up_proj.weight"] = sd["model.layers.0.mlp.up_proj.weight"].T.contiguous().T
        top = {"model_state_dict": sd}
        if with_config: top["config"] = c if maybe(0.8) else {k: v for k, v in c.items() if k not in ("rope_scaling", "use_cache", "attention_dropout")}
        if maybe(0.4): top.update(epoch=3, global_step=17, train_loss=1.5, val_loss=float("nan"), best=None, history=[{"loss": 1.0}, (1, 2)])
        if maybe(0.4): top["optimizer_state_dict"] = {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.randn(9)}}, "param_groups": [{"lr": 1e-3, "params": [0]}]}
        path = f"{a.work}/{i}.pt"
        torch.save(top, path, pickle_protocol=pick(2, 3, 4, 5), _use_new_zipfile_serialization=maybe(0.8))
        ids = [R.randrange(c["vocab_size"]) for _ in range(pick(1, 7, 33, 64))]
        want = forward(sd, c, ids)
        for level in a.levels.split(","):
            r = subprocess.run([os.path.abspath(a.scbench), "models", "logits", path, "--ids", ",".join(map(str, ids)), "--compute", "f32", "--cpu", level, "-o", f"{a.work}/o.safetensors"], capture_output=True, text=True)
            diff = float("nan") if r.returncode else (load_file(f"{a.work}/o.safetensors")["logits"].double() - want).abs().max().item()
            worst = max(worst, diff)
            if not diff <= 1e-4:
                bad += 1
                print(f"{path} {level} {dtype} config={with_config} {c}: {diff} {r.stderr.strip()}"[:700])
                break
        else:
            os.remove(path)
    print(f"smallcoder: {a.n - bad} same, {bad} different, worst {worst:.2g}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
