#!/usr/bin/env python3
"""Random tiny GGUF files written by gguf-py: scbench's logits against transformers on the dequantised weights.

  ggufs.py --scbench build/scbench --work DIR [--n 10] [--seed 1] [--arch llama,gpt2]

The configurations are those of models.py with what the format can say. Every matrix gets a storage type of its own
where its rows allow; versions 2 and 3 of the header, one file or several, odd alignments, left-out keys.
Needs torch, transformers 5, gguf.
"""
import argparse, json, os, random, shutil, sys
import models as M
import numpy as np
import torch, gguf
from gguf import GGMLQuantizationType as T, quants
from transformers import AutoConfig, AutoModelForCausalLM

R, pick, maybe = M.R, M.pick, M.maybe
NAMES = {"llama": "llama", "mistral": "llama", "mixtral": "llama", "granite": "granite", "qwen2": "qwen2", "qwen3": "qwen3", "qwen3_moe": "qwen3moe", "starcoder2": "starcoder2", "gpt2": "gpt2",
         "gpt_bigcode": "starcoder", "gpt_neox": "gptneox", "phi": "phi2", "phi3": "phi3", "stablelm": "stablelm", "gemma": "gemma"}
PLAIN = [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0]
# where the half-precision scales of a block stand; the rest of a random block may be anything
BLOCKS = {T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0], T.MXFP4: []}


def store(w):
    """w [rows, cols] as some type: (raw bytes, type, the numbers it stands for)."""
    rows, cols = w.shape
    types = [t for t in PLAIN if cols % gguf.GGML_QUANT_SIZES[t][0] == 0]
    blocks = [t for t in BLOCKS if cols % gguf.GGML_QUANT_SIZES[t][0] == 0]
    t = pick(*types, *blocks, *blocks)
    if t in BLOCKS:
        n, size = gguf.GGML_QUANT_SIZES[t]
        raw = np.frombuffer(R.randbytes(rows * (cols // n) * size), dtype=np.uint8).reshape(rows, cols // n, size).copy()
        for at in BLOCKS[t]:
            d = np.array([[R.uniform(-1, 1) for _ in range(cols // n)] for _ in range(rows)], dtype=np.float16)
            raw[:, :, at:at + 2] = d.view(np.uint8).reshape(rows, cols // n, 2)
        if t == T.MXFP4: raw[:, :, 0] = R.randrange(118, 126)
        raw = raw.reshape(rows, -1)
        x = quants.dequantize(raw, t)
        # bring it to the spread of w by the scales alone
        k = float(np.std(w) / max(1e-6, np.std(x)))
        if t == T.MXFP4: return raw, t, x
        b = raw.reshape(rows, cols // n, size)
        for at in BLOCKS[t]:
            d = b[:, :, at:at + 2].copy().view(np.float16) * np.float16(k)
            b[:, :, at:at + 2] = d.view(np.uint8)
        return raw, t, quants.dequantize(raw, t)
    raw = quants.quantize(w, t) if t != T.F32 else w.astype(np.float32)
    return raw, t, quants.dequantize(raw, t) if t not in (T.F32,) else raw


def permute(a, n):
    d = a.shape[0] // n
    return a.reshape(n, 2, d // 2, *a.shape[1:]).swapaxes(1, 2).reshape(a.shape)


def regroup(a, heads, kv, d):
    """Rows of q, k, v head by head, as all q, all k, all v."""
    x = a.reshape(heads, 3, d, *a.shape[1:])
    return np.concatenate([x[:, i].reshape(heads * d, *a.shape[1:]) for i in range(3)])


def matrix(sd, key, order=None, turn=False):
    """Stores the matrix sd[key] and puts what it stands for back."""
    w = sd[key].numpy()
    w = np.ascontiguousarray(w.T) if turn else w
    raw, t, x = store(w.astype(np.float32))
    sd[key].copy_(torch.from_numpy(np.ascontiguousarray(x.T if turn else x)))
    return (order(raw) if order else raw), t


def write(a, c, model, path):
    conf, arch = model.config, NAMES[c["model_type"]]
    kind = c["model_type"]
    layers = conf.num_hidden_layers
    heads = conf.num_attention_heads
    kv = getattr(conf, "num_key_value_heads", None) or heads
    hidden = conf.hidden_size
    d = getattr(conf, "head_dim", None) or hidden // heads
    split = pick(0, 0, 0, 5, 9)
    w = gguf.GGUFWriter(path, arch, split_max_tensors=split)
    w.add_context_length(conf.max_position_embeddings)
    w.add_embedding_length(hidden)
    w.add_block_count(layers)
    inter = getattr(conf, "intermediate_size", None) or getattr(conf, "n_inner", None) or 4 * hidden
    w.add_feed_forward_length(inter)
    w.add_head_count(heads)
    if kv != heads or maybe(): w.add_head_count_kv(kv)
    eps = next(getattr(conf, k) for k in ("rms_norm_eps", "norm_epsilon", "layer_norm_eps", "layer_norm_epsilon") if hasattr(conf, k))
    (w.add_layer_norm_rms_eps if hasattr(conf, "rms_norm_eps") else w.add_layer_norm_eps)(eps)
    if d != hidden // heads or maybe(0.3):
        w.add_key_length(d)
        w.add_value_length(d)
    extra = {}
    p = getattr(conf, "rope_parameters", None)
    if p:
        if p["rope_theta"] != 10000.0 or maybe(): w.add_rope_freq_base(p["rope_theta"])
        rd = int(d * (p.get("partial_rotary_factor") or 1.0))
        if rd != d or maybe(0.6): w.add_rope_dimension_count(rd)
        k = p["rope_type"]
        if k == "linear":
            if maybe(0.8):
                w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
                w.add_rope_scaling_factor(p["factor"])
            else:
                w.add_float32(f"{arch}.rope.scale_linear", p["factor"])
        elif k == "yarn":
            w.add_rope_scaling_type(gguf.RopeScalingType.YARN)
            w.add_rope_scaling_factor(p["factor"])
            w.add_rope_scaling_orig_ctx_len(p["original_max_position_embeddings"])
        elif k == "longrope":
            w.add_rope_scaling_orig_ctx_len(conf.original_max_position_embeddings)
            scale = conf.max_position_embeddings / conf.original_max_position_embeddings
            if maybe(0.7): w.add_rope_scaling_type(gguf.RopeScalingType.LONGROPE)
            w.add_rope_scaling_attn_factors(float(np.sqrt(1 + np.log(scale) / np.log(conf.original_max_position_embeddings))) if scale > 1 else 1.0)
            extra["rope_factors_long.weight"] = np.array(p["long_factor"], dtype=np.float32)
            extra["rope_factors_short.weight"] = np.array(p["short_factor"], dtype=np.float32)
        elif k == "llama3":
            low, high, f, o = p["low_freq_factor"], p["high_freq_factor"], p["factor"], p["original_max_position_embeddings"]
            out = []
            for i in range(0, d, 2):
                wave = 2 * np.pi * p["rope_theta"] ** (i / d)
                if wave < o / high: out.append(1.0)
                elif wave > o / low: out.append(f)
                else:
                    s = (o / wave - low) / (high - low)
                    out.append(1 / ((1 - s) / f + s))
            extra["rope_freqs.weight"] = np.array(out, dtype=np.float32)
    if kind == "gpt_neox": w.add_parallel_residual(conf.use_parallel_residual)
    if kind == "stablelm": w.add_parallel_residual(conf.use_parallel_residual)
    if kind == "granite":
        w.add_attention_scale(conf.attention_multiplier)
        w.add_embedding_scale(conf.embedding_multiplier)
        w.add_residual_scale(conf.residual_multiplier)
        w.add_logit_scale(conf.logits_scaling)
    moe = kind in ("mixtral", "qwen3_moe")
    if moe:
        w.add_expert_count(getattr(conf, "num_local_experts", None) or conf.num_experts)
        w.add_expert_used_count(conf.num_experts_per_tok)
        if kind == "qwen3_moe": w.add_expert_feed_forward_length(conf.moe_intermediate_size)
    if not split and maybe(0.2): w.add_custom_alignment(pick(64, 128))
    names = gguf.get_tensor_name_map([k for k, v in gguf.MODEL_ARCH_NAMES.items() if v == arch][0], layers)
    own = {"gpt_bigcode": None}
    sd = {k: v for k, v in model.state_dict().items()}
    tied = conf.tie_word_embeddings
    stack = {}
    for k in sd:
        if tied and k in ("lm_head.weight", "embed_out.weight"): continue
        v = sd[k]
        if k.endswith(("inv_freq", ".attn.bias", "masked_bias")): continue
        if ".experts." in k or (moe and k.endswith(("block_sparse_moe.gate.weight", "mlp.gate.weight"))):
            l = int(k.split(".layers.")[1].split(".")[0])
            if k.endswith("gate.weight"):
                w.add_tensor(f"blk.{l}.ffn_gate_inp.weight", v.numpy().astype(np.float32))
                continue
            x = v.numpy()
            half = x.shape[1] // 2
            parts = [("gate", x[:, :half]), ("up", x[:, half:])] if "gate_up" in k else [("down", x)]
            for n, part in parts:
                e, r, cc = part.shape
                raw, t, y = store(np.ascontiguousarray(part).reshape(e * r, cc).astype(np.float32))
                if "gate_up" in k: v[:, slice(0, half) if n == "gate" else slice(half, None)] = torch.from_numpy(y.reshape(e, r, cc).copy())
                else: v.copy_(torch.from_numpy(y.reshape(e, r, cc).copy()))
                w.add_tensor(f"blk.{l}.ffn_{n}_exps.weight", raw.reshape(e, r, -1), raw_dtype=t)
            continue
        if ".norms." in k:  # stablelm: a norm of each head, stacked
            base = k.split(".norms.")[0]
            stack.setdefault(base, []).append(v.numpy())
            continue
        stem, end = k.rsplit(".", 1)
        name = names.get_name(stem)
        if name is None: raise RuntimeError(f"no name for {k}")
        if v.dim() == 1:
            x = v.numpy().astype(np.float32)
            if kind == "gemma" and "norm" in k: x = x + 1
            if arch in ("llama", "granite") and stem.endswith(("q_proj", "k_proj")): x = permute(x, heads if "q_proj" in stem else kv)
            if kind == "gpt_neox" and "query_key_value" in k: x = regroup(x, heads, kv, d)
            if kind == "gpt_bigcode" and "c_attn" in k and not conf.multi_query: x = regroup(x, heads, kv, d)
            w.add_tensor(f"{name}.{end}", np.ascontiguousarray(x))
            continue
        order = None
        if arch in ("llama", "granite") and stem.endswith(("q_proj", "k_proj")):
            order = lambda x, n=heads if stem.endswith("q_proj") else kv: np.ascontiguousarray(permute(x, n))
        if (kind == "gpt_neox" and "query_key_value" in k) or (kind == "gpt_bigcode" and "c_attn" in k and not conf.multi_query):
            order = lambda x: np.ascontiguousarray(regroup(x, heads, kv, d))
        turn = kind == "gpt2" and ".h." in k
        raw, t = matrix(sd, k, order, turn)
        w.add_tensor(f"{name}.{end}", raw, raw_dtype=t)
    for base, parts in stack.items():
        w.add_tensor(names.get_name(base) + ".weight", np.stack(parts).astype(np.float32))
    for n, x in extra.items(): w.add_tensor(n, x)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def config(arch):
    for _ in range(200):
        c = M.ARCHS[arch]()
        text = json.dumps(c)
        if '"dynamic"' in text or "sliding_attention" in text or "scale_attn_by" in text or "reorder" in text: continue
        if any(c.get(k) is False for k in ("scale_attn_weights",)): continue
        if arch == "qwen3_moe" and (not c.get("norm_topk_prob")): continue
        if arch == "qwen3_moe" and (c.get("mlp_only_layers") or c.get("decoder_sparse_step", 1) != 1): continue
        s = c.get("rope_parameters") or c.get("rope_scaling") or {}
        if any(k in s for k in ("attention_factor", "mscale", "mscale_all_dim", "truncate", "beta_fast", "beta_slow")): continue
        if "longrope" in text and arch != "phi3" or "llama3" in text and arch not in ("llama", "granite"): continue
        if arch == "phi3" and s and ("original_max_position_embeddings" not in c or s.get("factor")): continue
        for k in ("sliding_window", "use_sliding_window", "layer_types"): c.pop(k, 0)
        if arch in ("mistral", "mixtral", "phi3", "starcoder2"): c["sliding_window"] = None
        for k in ("hidden_act", "activation_function"): c.pop(k, 0)  # the format does not say it
        if arch == "gpt_neox" and not c.get("use_parallel_residual", True): c["hidden_act"] = "gelu_new"
        if arch == "phi" and c.get("qk_layernorm"): continue
        if maybe(0.5):  # rows for the big blocks
            pass
        return c
    return None


def check(a, exe, arch, i):
    seed = a.seed * 100003 + i
    R.seed(f"gguf-{arch}-{seed}")
    out = f"{a.work}/{arch}-{seed}"
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    try:
        c = config(arch)
        if maybe(0.5) and "hidden_size" in c and arch not in ("gemma",):
            n = c["num_attention_heads"]
            if 256 % n == 0 and "rope_parameters" not in c and not c.get("rope_scaling") and "partial_rotary_factor" not in c and "rotary_pct" not in c and 256 // n <= 256 and (256 // n) % 8 == 0:
                c["hidden_size"] = 256
                c["intermediate_size"] = pick(256, 512)
                if "head_dim" in c and arch not in ("qwen3", "qwen3_moe"): c["head_dim"] = 256 // n
        json.dump(c, open(f"{out}/config.json", "w"), indent=1)
        conf = AutoConfig.from_pretrained(out)
        if hasattr(conf, "_experts_implementation"): conf._experts_implementation = "eager"
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(conf, attn_implementation="eager").eval().float()
        M.spread(model, seed)
        path = f"{out}/m.gguf"
        with torch.no_grad():
            write(a, c, model, path)
        os.remove(f"{out}/config.json")
        parts = sorted(f for f in os.listdir(out) if f.endswith(".gguf"))
        if maybe(0.3):
            for f in parts:  # version 2 has the same layout
                with open(f"{out}/{f}", "r+b") as h:
                    h.seek(4)
                    h.write(b"\2\0\0\0")
        limit = conf.max_position_embeddings
        ids = [R.randrange(c["vocab_size"]) for _ in range(min(limit, pick(1, 5, 17, 33, 45, 63)))]
        n = min(16, max(0, limit - len(ids)))
        if '"longrope"' in json.dumps(c): n = 0
        want = M.logits(model, ids)
        cont, gaps = M.greedy(model, ids, n) if n else ([], [])
    except Exception as e:
        if a.trace: raise
        shutil.rmtree(out, ignore_errors=True)
        return "library", f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"
    what = f"{out}/{parts[0]} of {len(parts)} T={len(ids)}"
    worst, exact = 0.0, None
    for level in a.levels:
        rc, err, got = M.scbench(exe, f"{out}/{parts[0]}", ids, level, n)
        if rc != 0:
            return ("refused" if rc in (1, 2) else "crashed"), f"{what} rc={rc}: {err.splitlines()[-1] if err else ''}"
        diff = (got["logits"] - want).abs().max().item()
        worst = max(worst, diff)
        if not diff <= 1e-4:
            if exact is None:
                with torch.no_grad():
                    exact = model.double()(torch.tensor([ids]), use_cache=False).logits[0]
            ours, theirs = [(x.double() - exact).abs().max().item() for x in (got["logits"], want)]
            if not ours <= max(1e-4, 3 * theirs):
                json.dump(c, open(f"{out}/config.json", "w"), indent=1)
                return "logits", f"{what} {level}: {diff:.3g} of {want.abs().max().item():.3g}; from float64 {ours:.3g}, the library {theirs:.3g}"
        g = got["greedy"].tolist() if n else []
        for k in range(n):
            if g[k] != cont[k]:
                if gaps[k] > 3e-4: return "greedy", f"{what} {level}: step {k}, gap {gaps[k]:.3g}"
                break
    if not a.keep: shutil.rmtree(out)
    return "same", worst


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--scbench", default="build/scbench")
    p.add_argument("--work", required=True)
    p.add_argument("--n", type=int, default=10)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--arch")
    p.add_argument("--levels", default="ref,avx2,avx512")
    p.add_argument("--keep", action="store_true")
    p.add_argument("--trace", action="store_true")
    a = p.parse_args()
    a.levels = a.levels.split(",")
    os.makedirs(a.work, exist_ok=True)
    exe = os.path.abspath(a.scbench)
    total = {}
    for arch in a.arch.split(",") if a.arch else NAMES:
        worst = 0.0
        for i in range(a.first, a.first + a.n):
            kind, what = check(a, exe, arch, i)
            total.setdefault(arch, {}).setdefault(kind, 0)
            total[arch][kind] += 1
            if kind == "same": worst = max(worst, what)
            else: print(f"{kind}: {arch} {i}: {what}", flush=True)
        print(f"{arch}: {total[arch]}, worst {worst:.2g}", flush=True)
    print("gguf: " + json.dumps({k: sum(t.get(k, 0) for t in total.values()) for k in ("same", "refused", "library", "logits", "greedy", "crashed")}))
    sys.exit(1 if any(t.get(k) for t in total.values() for k in ("logits", "greedy", "crashed")) else 0)


if __name__ == "__main__":
    main()
