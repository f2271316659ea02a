#!/usr/bin/env python3
"""Random tiny models of every architecture: scbench's logits and greedy tokens against transformers.

  models.py --scbench build/scbench --work DIR [--n 200] [--seed 1] [--arch llama,phi] [--keep]

Draws a config.json (in the form of version 4 or of version 5 of the library, with keys left out that have
their class's default), lets transformers build that model with random weights of a wide spread, saves it
(dtype, shards, .bin, older forms), and compares `scbench models logits` at every kernel level with
transformers in float32: 1e-4 absolute on every logit, the same greedy token wherever the gap is over 1e-4.
A configuration that scbench refuses is counted apart and its message shown: read them.
Needs torch, transformers (4 or 5), safetensors. What differs stays in DIR.
"""
import argparse, json, os, random, shutil, subprocess, sys, tempfile, warnings

warnings.filterwarnings("ignore")
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

torch.set_num_threads(1)
transformers.utils.logging.disable_progress_bar()
V5 = int(transformers.__version__.split(".")[0]) >= 5
R = random.Random()


def pick(*a):
    return R.choice(a)


def maybe(p=0.5):
    return R.random() < p


def act(default):
    return default if maybe(0.6) else pick("silu", "gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "relu",
                                            "quick_gelu", "swish", "gelu_python", "gelu_accurate", "gelu_10",
                                            "relu2", "tanh", "mish")


def heads(groups=True, dims=(8, 16, 24, 32, 40, 64, 80, 96)):
    """hidden = heads * head_dim."""
    d = pick(*dims)
    n = pick(*[x for x in (1, 2, 3, 4, 6, 8) if x * d <= 256])
    kv = pick(*[k for k in range(1, n + 1) if n % k == 0]) if groups else n
    return n * d, n, kv, d


def rope(c, d, kinds=("default", "linear", "dynamic", "yarn", "llama3", "longrope"), partial=None, theta_key=True):
    """Adds RoPE to the dict c in one of the two forms; d: head_dim, partial: name of the factor's default."""
    p = {}
    kind = "default" if maybe(0.35) else pick(*kinds)
    theta = pick(10000.0, 10000, 500000.0, 1e6, 999999.4420358813, 100.0)
    part = None
    if partial is not None:
        part = partial if maybe(0.4) else pick(*[f for f in (0.25, 0.4, 0.5, 0.75, 1.0) if int(d * f) % 2 == 0 and int(d * f) >= 2] or [1.0])
        if int(d * part) % 2 or int(d * part) < 2:
            part = 1.0
    rd = int(d * part) if part else d
    ctx = pick(32, 64, 128, 700)
    c["max_position_embeddings"] = ctx
    orig = None
    if kind != "default":
        p["factor"] = pick(1.0, 1.5, 2.0, 4.0, 8, 40)
    if kind == "dynamic" and rd <= 2:
        kind = "linear"
    if kind == "yarn":
        if maybe(0.7):
            orig = pick(16, 32, 48)
        if maybe(0.3): p["beta_fast"] = pick(32, 16, 64.0, 4)
        if maybe(0.3): p["beta_slow"] = pick(1, 2, 0.5)
        if maybe(0.2): p["attention_factor"] = pick(1.0, 0.7, 1.3)
        if maybe(0.2): p["mscale"] = pick(1.0, 0.707)
        if maybe(0.2): p["mscale_all_dim"] = pick(1.0, 0.5)
        if maybe(0.2): p["truncate"] = pick(True, False)
    if kind == "llama3":
        orig = pick(16, 32, 64)
        p["low_freq_factor"] = pick(1.0, 1, 2.0)
        p["high_freq_factor"] = pick(4.0, 8)
    if kind == "longrope":
        if not V5: p.pop("factor")  # what that version makes of it is its own
        orig = pick(16, 24, 40)
        p["short_factor"] = [round(R.uniform(1, 1.5), 3) for _ in range(rd // 2)]
        p["long_factor"] = [round(R.uniform(1, 8), 3) for _ in range(rd // 2)]
        if maybe(0.6): p.pop("factor", 0)
        if maybe(0.2): p["attention_factor"] = pick(1.0, 1.19)
    if orig:
        if kind == "longrope" and (not V5 or maybe(0.5)) or (V5 and maybe(0.15)):
            c["original_max_position_embeddings"] = orig
        else:
            p["original_max_position_embeddings"] = orig
    new = V5 and maybe()
    name = pick("rope_type", "rope_type", "type") if not new else "rope_type"
    if kind != "default" or maybe(0.2) or new:
        p[name] = kind
        if name == "rope_type" and maybe(0.2):
            p["type"] = kind
    if new:
        if theta != 10000 or maybe():
            p["rope_theta"] = theta
        if part is not None and (part != partial or maybe()):
            p["partial_rotary_factor"] = part
        c["rope_parameters"] = p
    else:
        if theta != 10000 or maybe():
            c["rope_theta"] = theta
        if part is not None and (part != partial or maybe()):
            c["partial_rotary_factor"] = part
        if p or maybe(0.3):
            c["rope_scaling"] = p or None
    return kind


def tokens(c):
    c["vocab_size"] = pick(64, 97, 128, 200, 257, 512)
    if maybe(): c["tie_word_embeddings"] = maybe()
    if maybe(0.8): c["bos_token_id"] = 1
    if maybe(0.8): c["eos_token_id"] = pick(2, [2, 3])


def llama_like(c, explicit=True, groups=True):
    h, n, kv, d = heads(groups)
    if explicit and maybe(0.4):
        d = pick(8, 16, 24, 64, 80, 128, 256)
        c["head_dim"] = d
    elif explicit and c["model_type"] != "mixtral" and maybe(0.2):
        c["head_dim"] = None
    c.update(hidden_size=h, num_attention_heads=n, num_hidden_layers=pick(1, 2, 3), intermediate_size=pick(32, 48, 72, 100, 129))
    if kv != n or not groups or maybe(0.8):
        c["num_key_value_heads"] = kv
    elif maybe(0.5) and not (V5 and c["model_type"] in ("mistral", "mixtral", "qwen3_moe")):
        c["num_key_value_heads"] = None
    if maybe(): c["rms_norm_eps"] = pick(1e-6, 1e-5, 1e-3)
    tokens(c)
    return d


def m_llama():
    c = {"model_type": "llama"}
    d = llama_like(c)
    rope(c, d)
    if maybe(): c["hidden_act"] = act("silu")
    for k in ("attention_bias", "mlp_bias"):
        if maybe(0.4): c[k] = maybe()
    return c


def m_granite():
    c = m_llama()
    c["model_type"] = "granite"
    c.pop("head_dim", None)
    c.pop("rope_scaling", 0), c.pop("rope_parameters", 0), c.pop("rope_theta", 0), c.pop("original_max_position_embeddings", 0)
    rope(c, c["hidden_size"] // c["num_attention_heads"])
    for k, v in dict(embedding_multiplier=(12.0, 0.5, 3), residual_multiplier=(0.22, 0.5, 2.0), attention_multiplier=(0.015625, 0.25, 0.1), logits_scaling=(8.0, 0.5, 16)).items():
        if maybe(0.7): c[k] = pick(*v)
    return c


def window(c, key="sliding_window"):
    if maybe(0.7): c[key] = pick(None, 4, 7, 16, 33, 100)


def m_mistral(name="mistral"):
    c = {"model_type": name}
    d = llama_like(c)
    rope(c, d)
    window(c)
    if c.get("num_key_value_heads") is None and (V5 or "num_key_value_heads" not in c):
        c["num_key_value_heads"] = c["num_attention_heads"]
    if maybe(0.3): c["hidden_act"] = act("silu")
    return c


def m_mixtral():
    c = m_mistral("mixtral")
    c.setdefault("head_dim", c["hidden_size"] // c["num_attention_heads"])  # the library trips over none
    if maybe(0.8): c["num_local_experts"] = pick(2, 3, 4, 8)
    c["num_experts_per_tok"] = pick(1, 2)
    return c


def m_qwen2(name="qwen2"):
    c = {"model_type": name}
    d = llama_like(c, explicit=False)
    if c.get("num_key_value_heads", 0) == 0 and "num_key_value_heads" not in c:
        c["num_key_value_heads"] = c["num_attention_heads"]
    rope(c, d)
    if maybe():
        c["use_sliding_window"] = maybe(0.7)
        c["sliding_window"] = pick(4, 7, 16)
        c["max_window_layers"] = pick(0, 1, 2, 28)
        if maybe(0.3):
            c["layer_types"] = [pick("full_attention", "sliding_attention") if c["use_sliding_window"] else "full_attention" for _ in range(c["num_hidden_layers"])]
    if maybe(0.3): c["hidden_act"] = act("silu")
    return c


def m_qwen3(name="qwen3"):
    c = m_qwen2(name)
    c["head_dim"] = d = pick(8, 16, 24, 64, 128)
    for k in ("rope_scaling", "rope_parameters", "rope_theta", "original_max_position_embeddings"): c.pop(k, 0)
    rope(c, d)
    if maybe(0.2):
        del c["head_dim"]
        for k in ("rope_scaling", "rope_parameters", "rope_theta", "original_max_position_embeddings"): c.pop(k, 0)
        rope(c, 128)
    if maybe(0.4): c["attention_bias"] = maybe()
    return c


def m_qwen3_moe():
    c = m_qwen3("qwen3_moe")
    if c.get("num_key_value_heads", 4) is None: c["num_key_value_heads"] = c["num_attention_heads"]
    c.pop("layer_types", 0), c.pop("max_window_layers", 0)
    # Without head_dim this class divides hidden_size by the heads.
    if "head_dim" not in c:
        c["head_dim"] = 128
    c["num_hidden_layers"] = pick(1, 2, 4)
    c["num_experts" if maybe(0.7) or not V5 else "num_local_experts"] = pick(4, 5, 8)
    c["num_experts_per_tok"] = pick(1, 2, 4)
    c["moe_intermediate_size"] = pick(16, 24, 33)
    if maybe(): c["norm_topk_prob"] = maybe()
    if maybe(0.4): c["decoder_sparse_step"] = pick(1, 2, 3)
    if maybe(0.4): c["mlp_only_layers"] = R.sample(range(c["num_hidden_layers"]), pick(0, 1))
    return c


def m_starcoder2():
    c = {"model_type": "starcoder2"}
    d = llama_like(c, explicit=False)
    c.pop("rms_norm_eps", 0)
    if c.get("num_key_value_heads") is None: c["num_key_value_heads"] = c["num_attention_heads"]
    if maybe(): c["norm_epsilon"] = pick(1e-5, 1e-3)
    if maybe(0.4): c["use_bias"] = maybe()
    if maybe(0.4): c["hidden_act"] = act("gelu_pytorch_tanh")
    window(c)
    rope(c, d)
    return c


def m_gemma():
    c = {"model_type": "gemma"}
    d = llama_like(c, explicit=False)
    if c.get("num_key_value_heads") is None: c["num_key_value_heads"] = c["num_attention_heads"]
    c["head_dim"] = d = pick(8, 16, 24, 64, 256)
    if maybe(0.4): c["hidden_act"] = act("gelu_pytorch_tanh")
    if c.get("hidden_act") == "gelu" and not V5: c["hidden_act"] = "gelu_pytorch_tanh"
    if maybe(0.3): c["hidden_activation"] = pick(None, "gelu_pytorch_tanh")
    if maybe(0.3): c["attention_bias"] = maybe()
    rope(c, d)
    return c


def gpt_like(name, default_act):
    h, n, _, d = heads()
    c = {"model_type": name, "n_embd": h, "n_head": n, "n_layer": pick(1, 2, 3), "n_positions": pick(64, 128, 100)}
    if maybe(0.3): c["n_inner"] = pick(None, 48, 100, 130)
    if maybe(0.3): c["activation_function"] = act(default_act)
    if maybe(0.3): c["layer_norm_epsilon"] = pick(1e-5, 1e-3)
    tokens(c)
    return c


def m_gpt2():
    c = gpt_like("gpt2", "gelu_new")
    for k in ("scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "scale_attn_weights"):
        if maybe(0.3): c[k] = maybe()
    return c


def m_gpt_bigcode():
    c = gpt_like("gpt_bigcode", "gelu_pytorch_tanh")
    if maybe(0.7): c["multi_query"] = maybe()
    if maybe(0.2): c["scale_attn_weights"] = maybe()
    if maybe(0.2): c["attention_softmax_in_fp32"] = maybe()
    if maybe(0.2): c["scale_attention_softmax_in_fp32"] = maybe()
    return c


def m_codegen():
    c = gpt_like("codegen", "gelu_new")
    d = pick(8, 16, 24, 32, 64)
    n = pick(4, 8) if d <= 32 else 4
    c.update(n_embd=n * d, n_head=n)
    c["rotary_dim"] = pick(*[r for r in (2, 4, 8, 16, 24, 32, 64) if r <= d])
    if maybe(0.2): c["scale_attn_weights"] = maybe()
    c["n_ctx"] = c["n_positions"]
    return c


def m_gpt_neox():
    c = {"model_type": "gpt_neox"}
    d = llama_like(c, explicit=False, groups=False)
    c.pop("num_key_value_heads"), c.pop("rms_norm_eps", 0)
    if maybe(): c["layer_norm_eps"] = pick(1e-5, 1e-3)
    if maybe(0.5): c["use_parallel_residual"] = maybe()
    if maybe(0.4): c["attention_bias"] = maybe()
    if maybe(0.5): c["hidden_act"] = act("gelu")
    rope(c, d, kinds=("linear", "dynamic", "yarn", "llama3"), partial=0.25)
    if "rope_parameters" not in c:
        if "partial_rotary_factor" in c: c["rotary_pct"] = c.pop("partial_rotary_factor")
        if "rope_theta" in c: c["rotary_emb_base"] = c.pop("rope_theta")
        if "rotary_pct" not in c and int(d * 0.25) % 2: c["rotary_pct"] = 1.0
    elif "partial_rotary_factor" not in c["rope_parameters"] and int(d * 0.25) % 2:
        c["rope_parameters"]["partial_rotary_factor"] = 1.0
    return c


def m_phi():
    c = {"model_type": "phi"}
    d = llama_like(c, explicit=False)
    c.pop("rms_norm_eps", 0)
    if maybe(): c["layer_norm_eps"] = pick(1e-5, 1e-3)
    if maybe(0.4): c["qk_layernorm"] = maybe()
    if maybe(0.4): c["hidden_act"] = act("gelu_new")
    rope(c, d, partial=0.5)
    return c


def m_phi3():
    c = {"model_type": "phi3"}
    d = llama_like(c, explicit=False)
    window(c)
    if maybe(0.3): c["hidden_act"] = act("silu")
    kind = rope(c, d, kinds=("longrope",), partial=1.0)
    s = c.get("rope_scaling") or c.get("rope_parameters") or {}
    if not V5 and kind == "default":
        c.pop("rope_scaling", 0)
    if kind == "longrope":
        for k in ("type", "rope_type"):
            if k in s and "rope_parameters" not in c: s[k] = pick("su", "longrope", "yarn") if k == "type" and "rope_type" not in s else s[k]
        if not V5:  # the older version knows these three only
            for k in ("attention_factor", "factor", "original_max_position_embeddings"):
                if k in s:
                    if k[0] == "o": c[k] = s[k]
                    del s[k]
            s["type"] = s.pop("rope_type", s.get("type"))
        elif maybe(0.8) and "original_max_position_embeddings" in s:
            c["original_max_position_embeddings"] = s.pop("original_max_position_embeddings")
    c.setdefault("pad_token_id", 0)
    return c


def m_stablelm():
    c = {"model_type": "stablelm"}
    d = llama_like(c, explicit=False)
    c.pop("rms_norm_eps", 0)
    if c.get("num_key_value_heads") is None: c["num_key_value_heads"] = c["num_attention_heads"]
    if maybe(): c["layer_norm_eps"] = pick(1e-5, 1e-3)
    for k in ("use_qkv_bias", "qk_layernorm", "use_parallel_residual"):
        if maybe(0.5): c[k] = maybe()
    if not V5: c.pop("qk_layernorm", 0)  # cannot be built there
    if maybe(0.3): c["hidden_act"] = act("silu")
    rope(c, d, partial=0.25)
    s = c.get("rope_parameters")
    if int(d * 0.25) % 2 and "partial_rotary_factor" not in (s if s is not None else c):
        (s if s is not None else c)["partial_rotary_factor"] = 0.5
    return c


ARCHS = {k[2:]: v for k, v in list(globals().items()) if k.startswith("m_")}


def spread(model, seed):
    """Weights with which the logits of different models differ by far more than rounding."""
    g = torch.Generator().manual_seed(seed)
    seen = set()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.data_ptr() in seen:
                continue
            seen.add(p.data_ptr())
            r = torch.randn(p.shape, generator=g)
            if p.dim() == 1:
                norm = "norm" in name or "ln_" in name
                gemma = type(model).__name__.startswith("Gemma")
                p.copy_((0 if gemma or name.endswith("bias") else 1) + 0.3 * r if norm else 0.3 * r)
            elif "embed" in name or "wte" in name or "wpe" in name:
                p.copy_(r * 0.7)
            else:
                fan = p.shape[-1] if type(model).__name__ != "GPT2LMHeadModel" or "lm_head" in name else p.shape[0]
                p.copy_(r * 1.3 / fan ** 0.5)


def logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids]), use_cache=False).logits[0].float()


def greedy(model, ids, n):
    """Continuation with a cache, as the library generates; None where a gap is too small to hold anybody to."""
    out, gaps = [], []
    kw = dict(do_sample=False, max_new_tokens=n, min_new_tokens=n, eos_token_id=None, pad_token_id=0,
              return_dict_in_generate=True, output_logits=True, attention_mask=torch.ones(1, len(ids), dtype=torch.long))
    g = model.generation_config
    g.eos_token_id = None
    g.bos_token_id = None
    with torch.no_grad():
        r = model.generate(torch.tensor([ids]), **kw)
    for i, l in enumerate(r.logits):
        top = l[0].float().topk(2).values
        gaps.append(float(top[0] - top[1]))
    return r.sequences[0, len(ids):].tolist(), gaps


def legacy_names(sd, c):
    """Now and then the buffers that older versions saved beside the weights, or no prefix."""
    t = c["model_type"]
    if t == "gpt2" and maybe(0.3):
        for l in range(c["n_layer"]):
            sd[f"transformer.h.{l}.attn.bias"] = torch.ones(1, 1, 8, 8, dtype=torch.uint8 if maybe() else torch.bool)
            sd[f"transformer.h.{l}.attn.masked_bias"] = torch.tensor(-1e4)
    if t == "gpt_neox" and maybe(0.3):
        for l in range(c["num_hidden_layers"]):
            sd[f"gpt_neox.layers.{l}.attention.bias"] = torch.ones(1, 1, 8, 8, dtype=torch.bool)
            sd[f"gpt_neox.layers.{l}.attention.masked_bias"] = torch.tensor(-1e9)
            sd[f"gpt_neox.layers.{l}.attention.rotary_emb.inv_freq"] = torch.ones(4)
    if t in ("llama", "mistral", "qwen2") and maybe(0.2):
        for l in range(c["num_hidden_layers"]):
            sd[f"model.layers.{l}.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
    if t in ("gpt2", "gpt_bigcode") and maybe(0.2):
        sd = {k.removeprefix("transformer."): v for k, v in sd.items() if k != "lm_head.weight" or not c.get("tie_word_embeddings", True)}
    return sd


def save(model, c, out, dtype):
    os.makedirs(out, exist_ok=True)
    form = pick("safetensors", "safetensors", "shards", "bin", "bin-shards", "bin-legacy")
    if form == "shards":
        model.save_pretrained(out, max_shard_size=pick("20KB", "50KB", "200KB"))
    else:
        model.save_pretrained(out)
    if form not in ("shards",):
        sd = {}
        for f in sorted(os.listdir(out)):
            if f.endswith(".safetensors"):
                sd.update(load_file(os.path.join(out, f)))
                os.remove(os.path.join(out, f))
        for f in os.listdir(out):
            if f.endswith(".index.json"): os.remove(os.path.join(out, f))
        sd = legacy_names(sd, c)
        if form == "safetensors":
            save_file(sd, f"{out}/model.safetensors", metadata={"format": "pt"})
        elif form == "bin-shards":
            keys = list(sd); R.shuffle(keys)
            n = pick(2, 3)
            parts = [keys[i::n] for i in range(n)]
            m = {}
            for i, ks in enumerate(parts):
                f = f"pytorch_model-{i+1:05d}-of-{n:05d}.bin"
                torch.save({k: sd[k] for k in ks}, f"{out}/{f}", pickle_protocol=pick(2, 3, 4, 5))
                m.update({k: f for k in ks})
            json.dump({"metadata": {"total_size": 1}, "weight_map": m}, open(f"{out}/pytorch_model.bin.index.json", "w"))
        else:
            torch.save(sd, f"{out}/pytorch_model.bin", pickle_protocol=pick(2, 3, 4, 5),
                       _use_new_zipfile_serialization=form == "bin")
    json.dump(c, open(f"{out}/config.json", "w"), indent=1)
    return form


def scbench(exe, out, ids, level, n, extra=()):
    d = out if os.path.isdir(out) else os.path.dirname(out)
    o = f"{d}/got.safetensors"
    open(f"{d}/ids.txt", "w").write(",".join(map(str, ids)))
    r = subprocess.run([exe, "models", "logits", out, "--ids", f"@{d}/ids.txt", "--greedy", str(n), "--compute", "f32",
                        "--cpu", level, "-o", o, *extra], capture_output=True, text=True, timeout=60)
    return r.returncode, r.stderr.strip(), load_file(o) if r.returncode == 0 else None


def check(a, exe, arch, i):
    seed = a.seed * 100003 + i
    R.seed(f"{arch}-{seed}")
    out = f"{a.work}/{arch}-{seed}"
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    c = ARCHS[arch]()
    json.dump(c, open(f"{out}/config.json", "w"), indent=1)
    try:
        conf = AutoConfig.from_pretrained(out)
        conf._attn_implementation = "eager"
        torch.manual_seed(seed)
        if hasattr(conf, "_experts_implementation"): conf._experts_implementation = "eager"
        model = AutoModelForCausalLM.from_config(conf, attn_implementation="eager").eval().float()
        spread(model, seed)
        dtype = pick(torch.float32, torch.float32, torch.bfloat16, torch.float16)
        if arch == "gemma": dtype = torch.float32
        if dtype != torch.float32:
            with torch.no_grad():
                for p in model.parameters():
                    p.copy_(p.to(dtype).float())
        limit = c.get("n_positions") or (c["max_position_embeddings"])
        if "dynamic" in json.dumps(c): limit *= 2 if (c.get("rope_scaling") or c.get("rope_parameters"))["factor"] >= 2 else 1
        ids = [R.randrange(c["vocab_size"]) for _ in range(min(limit, pick(1, 5, 17, 33, 45, 63, limit)))]
        n = 0 if "dynamic" in json.dumps(c) else min(24, max(0, limit - len(ids)))
        if "longrope" in json.dumps(c) or '"su"' in json.dumps(c): n = min(n, 0 if arch != "phi3" else 8)
        want = logits(model, ids)
        cont, gaps = greedy(model, ids, n) if n else ([], [])
        if dtype != torch.float32:
            model = model.to(dtype)
        form = save(model, c, out, dtype)
    except Exception as e:
        shutil.rmtree(out, ignore_errors=True)
        return "library", f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"
    what = f"{out} {form} {str(dtype)[6:]} T={len(ids)}"
    worst, exact = 0.0, None
    for level in a.levels:
        rc, err, got = scbench(exe, out, ids, level, n)
        if rc != 0:
            msg = err.splitlines()[-1] if err else ""
            return ("refused" if rc in (1, 2) else "crashed"), f"{what} rc={rc}: {msg}"
        diff = (got["logits"] - want).abs().max().item()
        worst = max(worst, diff)
        # Some of these models magnify rounding, the library's too: then nearness to float64 counts.
        if not diff <= 1e-4:
            if exact is None:
                with torch.no_grad():
                    exact = model.float().double()(torch.tensor([ids]), use_cache=False).logits[0]
            ours, theirs = [(x.double() - exact).abs().max().item() for x in (got["logits"], want)]
            if not ours <= max(1e-4, 3 * theirs):
                return "logits", f"{what} {level}: {diff:.3g} of {want.abs().max().item():.3g}; from float64 {ours:.3g}, the library {theirs:.3g}"
        g = got["greedy"].tolist() if n else []
        for k in range(n):
            if g[k] != cont[k]:
                if gaps[k] > 2e-4:
                    return "greedy", f"{what} {level}: step {k}: {g[k]}, {cont[k]} expected, gap {gaps[k]:.3g}"
                break
    if not a.keep:
        shutil.rmtree(out)
    return "same", worst


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--scbench", default="build/scbench")
    p.add_argument("--work", required=True)
    p.add_argument("--n", type=int, default=20, help="configurations of each architecture")
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--arch")
    p.add_argument("--levels", default="ref,avx2,avx512")
    p.add_argument("--keep", action="store_true")
    a = p.parse_args()
    a.levels = a.levels.split(",")
    os.makedirs(a.work, exist_ok=True)
    exe = os.path.abspath(a.scbench)
    total = {}
    for arch in a.arch.split(",") if a.arch else ARCHS:
        worst = 0.0
        for i in range(a.first, a.first + a.n):
            kind, what = check(a, exe, arch, i)
            total.setdefault(arch, {}).setdefault(kind, 0)
            total[arch][kind] += 1
            if kind == "same":
                worst = max(worst, what)
            else:
                print(f"{kind}: {arch} {i}: {what}", flush=True)
        print(f"{arch}: {total[arch]}, worst {worst:.2g}", flush=True)
    bad = sum(n for t in total.values() for k, n in t.items() if k in ("logits", "greedy", "crashed"))
    print(f"transformers {transformers.__version__}: " + json.dumps({k: sum(t.get(k, 0) for t in total.values()) for k in ("same", "refused", "library", "logits", "greedy", "crashed")}))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
