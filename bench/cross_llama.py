"""Holds `scbench models convert` against llama.cpp itself, through llama-cpp-python.

usage: cross_llama.py SCBENCH SHARED WORK_DIR [FAMILY...]     (FAMILY is a name of the table below or its first word; python of an environment with llama-cpp-python and numpy)

SHARED is the folder with goldens/ and data/. For every family a Hugging Face folder is made (random weights, rows of 256, a real tokenizer),
or a real model is taken, and converted in f32, q8_0, q4_0 and q4_k. Then, on the same file:

    ids      texts whose token ids are the same in both programs, of all that were tried
    greedy   steps of llama.cpp's greedy continuations at which our argmax, fed llama.cpp's tokens, is the same, of all steps:
             with float activations (--compute f32), and as scbench runs by default; llama.cpp rounds activations to 8 bits
    gap      the largest difference of llama.cpp's two best logits at a step that differs (its logits' standard deviation is 1)
    file     q8_0 and q4_0: the bytes of every matrix against llama_model_quantize of the f32 file; q4_k: root mean square error of all
             matrices over llama.cpp's

Prints a Markdown table; exits 1 when ids differ, when an f32 step with a gap of 0.01 or more differs, or when a matrix of q8_0 or q4_0 does.
"""
import ctypes
import gzip
import json
import os
import struct
import subprocess
import sys

import llama_cpp
import numpy as np
from llama_cpp import llama_cpp as C

scbench, shared, work = sys.argv[1:4]
only = sys.argv[4:]
TYPES = {"f32": 0, "q8_0": 7, "q4_0": 2, "q4_k": 14}
STEPS = 32
PROMPTS = ["def add(a, b):\n    return", "class Stack:\n    def __init__(self):\n", "import os\n\nfor name in os.listdir('.'):\n    ",
           "def fibonacci(n):\n    \"\"\"The n-th number.\"\"\"\n", "int main(void)\n{\n\treturn ", "# sorts a list in place\ndef quick_sort(items",
           "x = [i * i for i in range(100) if i % 3 == 0]\nprint(", "SELECT name, count(*) FROM users WHERE "]
quiet = C.llama_log_callback(lambda *a: None)
C.llama_log_set(quiet, ctypes.c_void_p(0))
rng = np.random.default_rng(7)


def tokenizer(name):
    return gzip.open(f"{shared}/goldens/tokenizers/{name}.tokenizer.json.gz").read()


def qwen2_tokenizer():
    """The vocabulary of GPT-2 cut as Qwen2 cuts."""
    t = json.loads(tokenizer("gpt-2"))
    regex = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    t["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}]}
    return json.dumps(t).encode()


def write_safetensors(path, tensors):
    head, at = {}, 0
    for name, x in tensors.items():
        head[name] = {"dtype": "F32", "shape": list(x.shape), "data_offsets": [at, at + x.nbytes]}
        at += x.nbytes
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for x in tensors.values():
            f.write(x.tobytes())


def random(*shape):
    return (rng.standard_normal(shape) * shape[-1] ** -0.5).astype(np.float32)


def vector(n, around):
    return (around + 0.1 * rng.standard_normal(n)).astype(np.float32)


H, I, L, HEADS, KV = 256, 512, 2, 4, 2


def llama_like(config, vocab, bias=False, norm_bias=False, mlp=("gate_proj", "up_proj", "down_proj"), qk_norm=False):
    d = H // HEADS
    t = {"model.embed_tokens.weight": random(vocab, H), "model.norm.weight": vector(H, 1), "lm_head.weight": random(vocab, H)}
    for l in range(L):
        p = f"model.layers.{l}."
        t[p + "input_layernorm.weight"], t[p + "post_attention_layernorm.weight"] = vector(H, 1), vector(H, 1)
        for name, rows, cols in (("q", H, H), ("k", KV * d, H), ("v", KV * d, H), ("o", H, H)):
            t[p + f"self_attn.{name}_proj.weight"] = random(rows, cols)
            if bias and (name != "o" or norm_bias):
                t[p + f"self_attn.{name}_proj.bias"] = vector(rows, 0)
        if qk_norm:
            t[p + "self_attn.q_norm.weight"], t[p + "self_attn.k_norm.weight"] = vector(d, 1), vector(d, 1)
        for name in mlp:
            rows, cols = (H, I) if name in ("down_proj", "c_proj") else (I, H)
            t[p + f"mlp.{name}.weight"] = random(rows, cols)
            if norm_bias:
                t[p + f"mlp.{name}.bias"] = vector(rows, 0)
    if norm_bias:
        t.update({k[:-6] + "bias": vector(H, 0) for k in list(t) if "norm.weight" in k})
    config = dict({"hidden_size": H, "intermediate_size": I, "num_hidden_layers": L, "num_attention_heads": HEADS, "num_key_value_heads": KV,
                   "vocab_size": vocab, "max_position_embeddings": 512, "tie_word_embeddings": False}, **config)
    return config, t


def gpt2_like(config, vocab, multi_query=False):
    big = config["model_type"] == "gpt_bigcode"  # linear layers stand upright there
    turn = (lambda x: x) if big else (lambda x: np.ascontiguousarray(x.T))
    kv = H // HEADS if multi_query else H
    t = {"transformer.wte.weight": random(vocab, H), "transformer.wpe.weight": random(512, H)}
    for l in range(L):
        p = f"transformer.h.{l}."
        for name, rows, cols in (("attn.c_attn", H + 2 * kv, H), ("attn.c_proj", H, H), ("mlp.c_fc", 4 * H, H), ("mlp.c_proj", H, 4 * H)):
            t[p + name + ".weight"], t[p + name + ".bias"] = turn(random(rows, cols)), vector(rows, 0)
        for name in ("ln_1", "ln_2"):
            t[p + name + ".weight"], t[p + name + ".bias"] = vector(H, 1), vector(H, 0)
    t["transformer.ln_f.weight"], t["transformer.ln_f.bias"] = vector(H, 1), vector(H, 0)
    config = dict({"n_embd": H, "n_layer": L, "n_head": HEADS, "n_positions": 512, "vocab_size": vocab}, **config)
    return config, t


def codegen(vocab):
    t = {"transformer.wte.weight": random(vocab, H), "lm_head.weight": random(vocab, H), "lm_head.bias": vector(vocab, 0),
         "transformer.ln_f.weight": vector(H, 1), "transformer.ln_f.bias": vector(H, 0)}
    for l in range(L):
        p = f"transformer.h.{l}."
        t[p + "ln_1.weight"], t[p + "ln_1.bias"] = vector(H, 1), vector(H, 0)
        t[p + "attn.qkv_proj.weight"], t[p + "attn.out_proj.weight"] = random(3 * H, H), random(H, H)
        t[p + "mlp.fc_in.weight"], t[p + "mlp.fc_in.bias"] = random(4 * H, H), vector(4 * H, 0)
        t[p + "mlp.fc_out.weight"], t[p + "mlp.fc_out.bias"] = random(H, 4 * H), vector(H, 0)
    return {"model_type": "codegen", "n_embd": H, "n_layer": L, "n_head": HEADS, "rotary_dim": 32, "n_positions": 512, "vocab_size": vocab}, t


def qwen3_moe(vocab):
    config, t = llama_like({"model_type": "qwen3_moe", "head_dim": 64, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 256,
                            "norm_topk_prob": True, "decoder_sparse_step": 1, "mlp_only_layers": []}, vocab, mlp=(), qk_norm=True)
    for l in range(L):
        p = f"model.layers.{l}.mlp."
        t[p + "gate.weight"] = random(4, H)
        for e in range(4):
            for name, rows, cols in (("gate_proj", 256, H), ("up_proj", 256, H), ("down_proj", H, 256)):
                t[p + f"experts.{e}.{name}.weight"] = random(rows, cols)
    return config, t


def mixtral(vocab):
    config, t = llama_like({"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": None}, vocab, mlp=())
    for l in range(L):
        p = f"model.layers.{l}.block_sparse_moe."
        t[p + "gate.weight"] = random(4, H)
        for e in range(4):
            for name, rows, cols in (("w1", I, H), ("w2", H, I), ("w3", I, H)):
                t[p + f"experts.{e}.{name}.weight"] = random(rows, cols)
    return config, t


def gemma(vocab):
    config, t = llama_like({"model_type": "gemma", "head_dim": 128, "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True,
                            "hidden_activation": "gelu_pytorch_tanh"}, vocab)
    del t["lm_head.weight"]
    t["model.embed_tokens.weight"] *= 0.03  # else the tied head says the last token again
    for l in range(L):
        p = f"model.layers.{l}.self_attn."
        t[p + "k_proj.weight"], t[p + "v_proj.weight"] = random(128, H), random(128, H)
    return config, {k: x - 1 if "norm.weight" in k else x for k, x in t.items()}


def stablelm(vocab):
    config, t = llama_like({"model_type": "stablelm", "use_qkv_bias": True, "partial_rotary_factor": 0.25}, vocab, bias=True)
    t.update({k[:-6] + "bias": vector(H, 0) for k in list(t) if "norm.weight" in k})
    return config, t


def phi3(vocab):
    config, t = llama_like({"model_type": "phi3", "sliding_window": None, "pad_token_id": 0}, vocab, mlp=())
    for l in range(L):
        p = f"model.layers.{l}."
        t[p + "self_attn.qkv_proj.weight"] = np.concatenate([t.pop(p + f"self_attn.{x}_proj.weight") for x in "qkv"])
        t[p + "mlp.gate_up_proj.weight"], t[p + "mlp.down_proj.weight"] = random(2 * I, H), random(H, I)
    return config, t


def phi(vocab):
    t = {"model.embed_tokens.weight": random(vocab, H), "model.final_layernorm.weight": vector(H, 1), "model.final_layernorm.bias": vector(H, 0),
         "lm_head.weight": random(vocab, H), "lm_head.bias": vector(vocab, 0)}
    for l in range(L):
        p = f"model.layers.{l}."
        t[p + "input_layernorm.weight"], t[p + "input_layernorm.bias"] = vector(H, 1), vector(H, 0)
        for name, rows, cols in (("self_attn.q_proj", H, H), ("self_attn.k_proj", H, H), ("self_attn.v_proj", H, H), ("self_attn.dense", H, H),
                                 ("mlp.fc1", 4 * H, H), ("mlp.fc2", H, 4 * H)):
            t[p + name + ".weight"], t[p + name + ".bias"] = random(rows, cols), vector(rows, 0)
    return {"model_type": "phi", "hidden_size": H, "intermediate_size": 4 * H, "num_hidden_layers": L, "num_attention_heads": HEADS,
            "partial_rotary_factor": 0.5, "max_position_embeddings": 512, "vocab_size": vocab}, t


def gpt_neox(vocab, parallel):
    t = {"gpt_neox.embed_in.weight": random(vocab, H), "embed_out.weight": random(vocab, H),
         "gpt_neox.final_layer_norm.weight": vector(H, 1), "gpt_neox.final_layer_norm.bias": vector(H, 0)}
    for l in range(L):
        p = f"gpt_neox.layers.{l}."
        for name in ("input_layernorm", "post_attention_layernorm"):
            t[p + name + ".weight"], t[p + name + ".bias"] = vector(H, 1), vector(H, 0)
        for name, rows, cols in (("attention.query_key_value", 3 * H, H), ("attention.dense", H, H), ("mlp.dense_h_to_4h", 4 * H, H),
                                 ("mlp.dense_4h_to_h", H, 4 * H)):
            t[p + name + ".weight"], t[p + name + ".bias"] = random(rows, cols), vector(rows, 0)
    return {"model_type": "gpt_neox", "hidden_size": H, "intermediate_size": 4 * H, "num_hidden_layers": L, "num_attention_heads": HEADS,
            "rotary_pct": 0.25, "use_parallel_residual": parallel, "max_position_embeddings": 512, "vocab_size": vocab,
            "hidden_act": "gelu" if parallel else "gelu_new"}, t


FAMILIES = {
    "llama": lambda: (llama_like({"model_type": "llama"}, 32000), tokenizer("llama-spm")),
    "llama (DeepSeek-Coder's tokenizer)": lambda: (llama_like({"model_type": "llama", "rope_scaling": {"type": "linear", "factor": 4.0}}, 32256),
                                                   tokenizer("deepseek-coder")),
    "mistral": lambda: (llama_like({"model_type": "mistral", "sliding_window": None}, 32000), tokenizer("llama-spm")),
    "qwen2": lambda: (llama_like({"model_type": "qwen2"}, 50304, bias=True), qwen2_tokenizer()),
    "qwen3": lambda: (llama_like({"model_type": "qwen3", "head_dim": 64}, 50304, qk_norm=True), qwen2_tokenizer()),
    "qwen3_moe": lambda: (qwen3_moe(50304), qwen2_tokenizer()),
    "starcoder2": lambda: (llama_like({"model_type": "starcoder2", "use_bias": True, "sliding_window": None}, 49152, bias=True, norm_bias=True,
                                      mlp=("c_fc", "c_proj")), tokenizer("starcoder")),
    "gpt2": lambda: (gpt2_like({"model_type": "gpt2"}, 50257), tokenizer("gpt-2")),
    "gpt_bigcode": lambda: (gpt2_like({"model_type": "gpt_bigcode", "multi_query": True}, 49152, multi_query=True), tokenizer("starcoder")),
    "codegen": lambda: (codegen(51200), tokenizer("codegen")),
    "mixtral": lambda: (mixtral(32000), tokenizer("llama-spm")),
    "granite": lambda: (llama_like({"model_type": "granite", "embedding_multiplier": 12.0, "residual_multiplier": 0.22, "attention_multiplier": 0.015625,
                                    "logits_scaling": 8.0}, 49152), tokenizer("starcoder")),
    "gemma": lambda: (gemma(32000), tokenizer("llama-spm")),
    "stablelm": lambda: (stablelm(50304), tokenizer("gpt-2")),
    "phi": lambda: (phi(51200), tokenizer("codegen")),
    "phi3": lambda: (phi3(32064), tokenizer("llama-spm")),
    "gpt_neox": lambda: (gpt_neox(50304, True), tokenizer("gpt-2")),
    "gpt_neox (serial)": lambda: (gpt_neox(50304, False), tokenizer("gpt-2")),
    "smallcoder (models/nano)": lambda: "models/nano/nano.pt",
    "SmolLM2-135M-Instruct (from Q4_1)": lambda: f"{shared}/data/models/SmolLM2-135M-Instruct.Q4_1.gguf",
}


def source(name):
    made = FAMILIES[name]()
    if isinstance(made, str):
        return made
    (config, tensors), text = made
    folder = os.path.join(work, name.split()[0] + str(len(name)))
    os.makedirs(folder, exist_ok=True)
    json.dump(config, open(folder + "/config.json", "w"))
    open(folder + "/tokenizer.json", "wb").write(text)
    write_safetensors(folder + "/model.safetensors", tensors)
    return folder


def texts():
    for line in open(f"{shared}/goldens/tokenizers/torture.jsonl"):
        text = json.loads(line)["text"]
        if "\0" not in text:
            yield text
    for path in ("src/base/buf.c", "models/nano/train.py", "README.md"):
        yield open(path, encoding="utf-8").read()


def same_ids(llm, path):
    all_texts = list(texts())
    lines = "".join(json.dumps({"text": t}) + "\n" for t in all_texts)
    out = subprocess.run([scbench, "tok", "encode", "--tokenizer", path, "--jsonl", "--literal"], input=lines.encode(), capture_output=True, check=True).stdout
    ours = [json.loads(line)["ids"] for line in out.splitlines()]
    theirs = [llm.tokenize(t.encode(), add_bos=True, special=False) if t else ours[i] for i, t in enumerate(all_texts)]
    bad = [t for t, a, b in zip(all_texts, ours, theirs) if a != b]
    for t in bad[:3]:
        print(f"# {path}: ids differ: {t[:60]!r}", file=sys.stderr)
    return len(all_texts) - len(bad), len(all_texts)


def our_argmax(path, ids, mode):
    out = os.path.join(work, "logits.safetensors")
    subprocess.run([scbench, "models", "logits", path, "--ids", ",".join(map(str, ids)), "--compute", mode, "-o", out, "-q"], check=True, capture_output=True)
    with open(out, "rb") as f:
        n = struct.unpack("<Q", f.read(8))[0]
        head = json.loads(f.read(n))
        name = next(k for k in head if k.startswith("logits"))
        begin, end = head[name]["data_offsets"]
        f.seek(8 + n + begin)
        return np.frombuffer(f.read(end - begin), np.float32).reshape(head[name]["shape"]).argmax(-1)


def greedy(llm, path):
    """(same with f32, same by default, steps, largest gap of a step that differs with f32)"""
    same, total, worst = {"f32": 0, "auto": 0}, 0, 0.0
    for text in PROMPTS:
        prompt = llm.tokenize(text.encode(), add_bos=True, special=False)
        llm.reset()
        llm.eval(prompt)
        new, gaps = [], []
        for _ in range(STEPS):
            logits = llm.scores[llm.n_tokens - 1]
            top = np.partition(logits, -2)[-2:]
            new.append(int(logits.argmax()))
            gaps.append(float((top[1] - top[0]) / logits.std()))
            llm.eval(new[-1:])
        for mode in same:
            ours = our_argmax(path, prompt + new, mode)[len(prompt) - 1:-1]
            for i in range(STEPS):
                if ours[i] == new[i]:
                    same[mode] += 1
                elif mode == "f32":
                    worst = max(worst, gaps[i])
        total += STEPS
    return same["f32"], same["auto"], total, worst


def matrices(path):
    import gguf
    return {t.name: t for t in gguf.GGUFReader(path).tensors}


def compare_files(ours, f32, kind):
    """'same bytes', or the ratio of the errors."""
    import gguf
    theirs = ours + ".llama"
    p = C.llama_model_quantize_default_params()
    p.ftype, p.nthread, p.pure = TYPES[kind], 2, True  # pure: the type itself, not a better one here and there
    if C.llama_model_quantize(f32.encode(), theirs.encode(), ctypes.byref(p)):
        return "llama.cpp refuses"
    a, b, exact = matrices(ours), matrices(theirs), matrices(f32)
    sums, differ, n = [0.0, 0.0], 0, 0
    for name in a:
        if a[name].tensor_type != b[name].tensor_type or a[name].tensor_type < 2:
            continue  # the head, to which either gives a better type
        n += 1
        differ += not np.array_equal(a[name].data, b[name].data)
        for i, t in enumerate((a[name], b[name])):
            x = gguf.dequantize(t.data, t.tensor_type).astype(np.float64)
            sums[i] += ((x - exact[name].data.reshape(x.shape)) ** 2).sum()
    os.unlink(theirs)
    if n == 0:
        return "no matrix of one type"
    return f"{n} of {n} the same" if not differ else f"{n} matrices, error {np.sqrt(sums[0] / sums[1]):.3f} of llama.cpp's"


def main():
    failed = False
    os.makedirs(work, exist_ok=True)
    print(f"llama-cpp-python {llama_cpp.__version__}\n")
    print("| model | type | architecture in the file | token ids | greedy, f32 | greedy, default | gap | file |\n|---|---|---|---|---|---|---|---|")
    for name in FAMILIES:
        if only and name not in only and name.split()[0] not in only:
            continue
        src = source(name)
        f32 = os.path.join(work, "f32.gguf")
        for kind in TYPES:
            out = os.path.join(work, kind + ".gguf")
            made = subprocess.run([scbench, "models", "convert", src, out, "--type", kind, "--force", "--json"], capture_output=True, check=True)
            report = json.loads(made.stdout)
            llm = llama_cpp.Llama(out, n_ctx=512, logits_all=True, verbose=False, n_threads=2)
            ids, n_ids = same_ids(llm, out)
            f, auto, total, gap = greedy(llm, out)
            llm.close()
            note = "" if kind == "f32" else compare_files(out, f32, kind)
            fits = report["vocabulary_fits"]
            failed |= (fits and ids != n_ids) or (kind == "f32" and gap > 0.01) or (kind in ("q8_0", "q4_0") and " error " in note)
            print(f"| {name} | {kind} | {report['architecture']} | {ids} of {n_ids} | {f} of {total} | {auto} of {total} | {gap:.2g} | {note} |", flush=True)
    return failed


sys.exit(main())
