"""The SmallCoder network in PyTorch, written as well as plain PyTorch allows, and the measurements of it.

usage: torch_smallcoder.py CHECKPOINT.pt PROMPTS.json DTYPE THREADS WHAT
    DTYPE    f32 | bf16
    WHAT     ttft             one token after the first prompt, then exit
             decode           three times 128 tokens after a prompt of 32
             prefill          five times a prompt of 512
             suite SAMPLES    every prompt, SAMPLES times, 150 tokens each, one sequence at a time as the original does
             batch SAMPLES    the same, the samples of a prompt decoded together (more than the original can do)

Prints one JSON line a figure. The weights are mapped from the checkpoint, nothing is initialised twice, keys and values live
in buffers that are made once: what the original leaves on the table here is not held against PyTorch.
"""
import time

T0 = time.time()
import json
import resource
import sys

import torch
import torch.nn.functional as F

T1 = time.time()


class Block:
    def __init__(self, sd, i, c):
        p = f"model.layers.{i}."
        self.norm1, self.norm2 = sd[p + "input_layernorm.weight"], sd[p + "post_attention_layernorm.weight"]
        self.q, self.k, self.v, self.o = (sd[f"{p}self_attn.{n}_proj.weight"] for n in "qkvo")
        self.gate, self.up, self.down = (sd[f"{p}mlp.{n}_proj.weight"] for n in ("gate", "up", "down"))


def rms(x, w, eps):
    y = x.float()
    return (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + eps)).to(x.dtype) * w


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class SmallCoder:
    def __init__(self, path, dtype):
        ck = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        self.c = c = ck["config"]
        sd = {k: v.to(dtype) for k, v in ck["model_state_dict"].items()}
        self.emb, self.norm = sd["model.embed_tokens.weight"], sd["model.norm.weight"]
        self.head = sd.get("lm_head.weight", self.emb)
        self.blocks = [Block(sd, i, c) for i in range(c["num_hidden_layers"])]
        self.nh, self.nkv = c["num_attention_heads"], c["num_key_value_heads"]
        self.d = c["hidden_size"] // self.nh
        freq = 1.0 / c["rope_theta"] ** (torch.arange(0, self.d, 2).float() / self.d)
        t = torch.outer(torch.arange(c["max_position_embeddings"]).float(), freq)
        t = torch.cat((t, t), -1)
        self.cos, self.sin = t.cos().to(dtype), t.sin().to(dtype)

    def cache(self, batch, size):
        shape = (len(self.blocks), 2, batch, self.nkv, size, self.d)
        return torch.zeros(shape, dtype=self.emb.dtype)

    def forward(self, ids, kv, at):
        """Logits [batch, vocab] of the last position of ids [batch, n], whose first one is number `at`."""
        b, n = ids.shape
        eps = self.c["rms_norm_eps"]
        x = self.emb[ids]
        cos, sin = self.cos[at : at + n], self.sin[at : at + n]
        for i, w in enumerate(self.blocks):
            h = rms(x, w.norm1, eps)
            q = F.linear(h, w.q).view(b, n, self.nh, self.d).transpose(1, 2)
            k = F.linear(h, w.k).view(b, n, self.nkv, self.d).transpose(1, 2)
            v = F.linear(h, w.v).view(b, n, self.nkv, self.d).transpose(1, 2)
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
            kv[i, 0, :, :, at : at + n] = k
            kv[i, 1, :, :, at : at + n] = v
            y = F.scaled_dot_product_attention(q, kv[i, 0, :, :, : at + n], kv[i, 1, :, :, : at + n], is_causal=n > 1, enable_gqa=True)
            x = x + F.linear(y.transpose(1, 2).reshape(b, n, -1), w.o)
            h = rms(x, w.norm2, eps)
            x = x + F.linear(F.silu(F.linear(h, w.gate)) * F.linear(h, w.up), w.down)
        return F.linear(rms(x[:, -1], self.norm, eps), self.head).float()


def draw(logits, temperature=0.7, top_k=50, top_p=0.9):
    """The original's rule: temperature, the k likeliest, then the likeliest that together reach p."""
    top, ids = torch.topk(logits / temperature, top_k, -1)  # sorted already: no sort over the vocabulary
    p = top.softmax(-1)
    p[p.cumsum(-1) - p > top_p] = 0
    return ids.gather(-1, torch.multinomial(p, 1))


def generate(m, prompt, n, batch=1, on_first=None):
    """n new tokens for `batch` samples of a prompt; returns when the first and the last one came."""
    kv = m.cache(batch, len(prompt) + n)
    one = m.forward(torch.tensor([prompt]), kv[:, :, :1], 0)
    kv[:, :, 1:] = kv[:, :, :1]
    tok = draw(one.expand(batch, -1).clone())
    first = time.time()
    if on_first:
        on_first(tok)
    for i in range(1, n):
        tok = draw(m.forward(tok, kv, len(prompt) + i - 1))
    return first, time.time()


def main():
    path, prompts, dtype, threads, what = sys.argv[1:6]
    samples = int(sys.argv[6]) if len(sys.argv) > 6 else 1
    prompts = [p["ids"] for p in json.load(open(prompts))]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    m = SmallCoder(path, {"f32": torch.float32, "bf16": torch.bfloat16}[dtype])
    T2 = time.time()

    def out(**k):
        print(json.dumps(dict(who="torch " + dtype, what=what, torch=torch.__version__, threads=int(threads), import_s=round(T1 - T0, 3), load_s=round(T2 - T1, 3),
                              peak_kib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, **k)), flush=True)

    with torch.inference_mode():
        if what == "ttft":
            generate(m, prompts[0], 1, 1, lambda tok: print("token", int(tok[0, 0]), flush=True))
            out(first_s=round(time.time() - T0, 4))
        elif what == "decode":
            rows = torch.randint(300, m.c["vocab_size"], (4, 32)).tolist()
            generate(m, rows[0], 8)
            for r in rows[1:]:
                a, b = generate(m, r, 129)
                out(tok_s=round(128 / (b - a), 2))
        elif what == "prefill":
            for r in range(6):
                ids = torch.randint(300, m.c["vocab_size"], (1, 512))
                kv = m.cache(1, 512)
                t = time.time()
                m.forward(ids, kv, 0)
                if r:
                    out(tok_s=round(512 / (time.time() - t), 2))
        else:
            t = time.time()
            for p in prompts:
                for _ in range(1 if what == "batch" else samples):
                    generate(m, p, 150, samples if what == "batch" else 1)
            n = len(prompts) * samples * 150
            out(tokens=n, generate_s=round(time.time() - t, 3), tok_s=round(n / (time.time() - t), 2), wall_s=round(time.time() - T0, 3))


if __name__ == "__main__":
    main()
