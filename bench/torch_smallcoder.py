"""The SmallCoder network in PyTorch, written as well as plain PyTorch allows, and the measurements of it.

usage: torch_smallcoder.py CHECKPOINT.pt PROMPTS.json DTYPE THREADS LOAD WHAT [SAMPLES]
    DTYPE    f32 | bf16
    LOAD     mapped | original
    WHAT     ttft             one token after the first prompt, then exit
             decode           three times 128 tokens after a prompt of 32
             prefill          five times a prompt of 512
             suite SAMPLES    every prompt, SAMPLES times, 150 tokens each, one sequence at a time as the original does
             batch SAMPLES    the same, the samples of a prompt decoded together (more than the original can do)

Prints one JSON line a figure. "mapped" is the best that plain PyTorch allows: the weights are mapped from the checkpoint and
nothing is initialised. "original" loads as the original's trainer and benchmark do: modules are made and initialised, the
checkpoint is read and copied into them. Keys and values live in buffers that are made once in both.
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


def modules(c):
    """Modules of the network's shapes, initialised as torch.nn does and then as the original does (normal, 0.02)."""
    h, kv = c["hidden_size"], c["num_key_value_heads"] * (c["hidden_size"] // c["num_attention_heads"])
    shapes = {"self_attn.q_proj": (h, h), "self_attn.k_proj": (h, kv), "self_attn.v_proj": (h, kv), "self_attn.o_proj": (h, h), "mlp.gate_proj": (h, c["intermediate_size"]),
              "mlp.up_proj": (h, c["intermediate_size"]), "mlp.down_proj": (c["intermediate_size"], h)}
    top = torch.nn.ModuleDict({"embed_tokens": torch.nn.Embedding(c["vocab_size"], h), "norm": torch.nn.RMSNorm(h), "layers": torch.nn.ModuleList()})
    for _ in range(c["num_hidden_layers"]):
        layer = torch.nn.ModuleDict({"self_attn": torch.nn.ModuleDict(), "mlp": torch.nn.ModuleDict(), "input_layernorm": torch.nn.RMSNorm(h), "post_attention_layernorm": torch.nn.RMSNorm(h)})
        for name, (n_in, n_out) in shapes.items():
            part, proj = name.split(".")
            layer[part][proj] = torch.nn.Linear(n_in, n_out, bias=False)
        top["layers"].append(layer)
    for m in top.modules():
        if isinstance(m, (torch.nn.Linear, torch.nn.Embedding)):
            torch.nn.init.normal_(m.weight, 0.0, 0.02)
    return torch.nn.ModuleDict({"model": top})


def load(path, dtype, how):
    """The configuration and the tensors by name."""
    if how == "mapped":
        ck = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        return ck["config"], {k: v.to(dtype) for k, v in ck["model_state_dict"].items()}
    ck = torch.load(path, map_location="cpu", weights_only=True)
    net = modules(ck["config"])
    net.load_state_dict(ck["model_state_dict"], strict=ck["config"]["tie_word_embeddings"])
    net.eval().to(dtype)
    return ck["config"], {k: v.detach() for k, v in net.state_dict().items()}


class SmallCoder:
    def __init__(self, path, dtype, how):
        self.c, sd = load(path, dtype, how)
        c = self.c
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
    path, prompts, dtype, threads, how, what = sys.argv[1:7]
    samples = int(sys.argv[7]) if len(sys.argv) > 7 else 1
    prompts = [p["ids"] for p in json.load(open(prompts))]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    m = SmallCoder(path, {"f32": torch.float32, "bf16": torch.bfloat16}[dtype], how)
    T2 = time.time()

    def out(**k):
        print(json.dumps(dict(who="torch " + dtype, load=how, what=what, torch=torch.__version__, threads=int(threads), import_s=round(T1 - T0, 3), load_s=round(T2 - T1, 3),
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
