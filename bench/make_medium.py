"""Writes random weights of SmallCoder-Medium's shape (303,654,528 parameters) for every program that is measured.

usage: make_medium.py OUT_DIR [SHAPE]     SHAPE: medium (default) or tiny, for a quick look at the scripts themselves

    medium-f32.pt medium-bf16.pt   the trainer's checkpoint: {"model_state_dict", "config"}
    tokenizer/tokenizer.json       a byte-level BPE of 32,000 tokens, trained here on Python's standard library
    medium-hf/                     the same as a Llama folder (bf16 safetensors), for transformers
    medium-f32.gguf                the same as GGUF; quantise.py makes the other types of it
    prompts.json                   text and ids of the built-in tasks' prompts

The same numbers go into every file: q and k rows are permuted for GGUF as its converters do, so all programs compute one network.
"""
import json
import pathlib
import sys

import gguf
import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SHAPES = {
    "medium": dict(vocab_size=32000, hidden_size=1152, intermediate_size=3328, num_hidden_layers=18, num_attention_heads=16, num_key_value_heads=4),
    "tiny": dict(vocab_size=32000, hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2),
}
COMMON = dict(max_position_embeddings=4096, rms_norm_eps=1e-6, rope_theta=10000.0, pad_token_id=0, bos_token_id=1, eos_token_id=2, tie_word_embeddings=True)
SUITE = pathlib.Path(__file__).resolve().parent.parent / "suites" / "builtin.jsonl"


def make_tokenizer(vocab_size):
    """Trained, not invented: a prompt then has as many tokens as it would with a real vocabulary."""
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    files = sorted(pathlib.Path(json.__file__).parent.parent.glob("*.py")) + sorted(pathlib.Path(json.__file__).parent.parent.glob("*/*.py"))
    files = [str(f) for f in files if "site-packages" not in str(f) and "test" not in str(f)][:600]
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=["<pad>", "<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tok.train(files, trainer)
    while tok.get_vocab_size() < vocab_size:  # a small standard library: fill up, the tokens are not what is measured
        tok.add_tokens([f"<unused{tok.get_vocab_size()}>"])
    return tok


def make_weights(c):
    gen = torch.Generator().manual_seed(1)
    h, inter, d = c["hidden_size"], c["intermediate_size"], c["hidden_size"] // c["num_attention_heads"]
    kv = c["num_key_value_heads"] * d

    def rnd(*shape):
        return torch.randn(*shape, generator=gen) * h**-0.5

    sd = {"model.embed_tokens.weight": rnd(c["vocab_size"], h)}
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        sd[p + "input_layernorm.weight"] = torch.ones(h)
        for name, rows, cols in (("q", h, h), ("k", kv, h), ("v", kv, h), ("o", h, h)):
            sd[f"{p}self_attn.{name}_proj.weight"] = rnd(rows, cols)
        sd[p + "post_attention_layernorm.weight"] = torch.ones(h)
        for name, rows, cols in (("gate", inter, h), ("up", inter, h), ("down", h, inter)):
            sd[f"{p}mlp.{name}_proj.weight"] = rnd(rows, cols)
    sd["model.norm.weight"] = torch.ones(h)
    return sd


def write_gguf(path, c, sd, tok):
    h, n_heads, n_kv = c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"]
    w = gguf.GGUFWriter(str(path), "llama")
    w.add_name("medium-random")
    w.add_context_length(c["max_position_embeddings"])
    w.add_embedding_length(h)
    w.add_block_count(c["num_hidden_layers"])
    w.add_feed_forward_length(c["intermediate_size"])
    w.add_head_count(n_heads)
    w.add_head_count_kv(n_kv)
    w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    w.add_rope_dimension_count(h // n_heads)
    w.add_rope_freq_base(c["rope_theta"])
    w.add_vocab_size(c["vocab_size"])
    w.add_file_type(0)
    spec = json.loads(tok.to_str())
    ids = {i: t for t, i in tok.get_vocab().items()}
    special = {t["id"] for t in spec["added_tokens"]}
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list([ids[i] for i in range(c["vocab_size"])])
    w.add_token_types([gguf.TokenType.CONTROL if i in special else gguf.TokenType.NORMAL for i in range(c["vocab_size"])])
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in spec["model"]["merges"]])
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_add_bos_token(False)

    def permuted(a, heads):  # the rotary halves become pairs
        return a.reshape(heads, 2, a.shape[0] // heads // 2, a.shape[1]).swapaxes(1, 2).reshape(a.shape)

    names = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
             "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
    for name, t in sd.items():
        a = t.numpy().astype(np.float32)
        if name.endswith("q_proj.weight"):
            a = permuted(a, n_heads)
        elif name.endswith("k_proj.weight"):
            a = permuted(a, n_kv)
        if name.startswith("model.layers."):
            _, _, i, rest = name.split(".", 3)
            to = f"blk.{i}.{names[rest.removesuffix('.weight')]}.weight"
        else:
            to = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}[name]
        w.add_tensor(to, np.ascontiguousarray(a))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def main():
    out = pathlib.Path(sys.argv[1])
    shape = sys.argv[2] if len(sys.argv) > 2 else "medium"
    (out / "tokenizer").mkdir(parents=True, exist_ok=True)
    (out / f"{shape}-hf").mkdir(exist_ok=True)
    c = {**SHAPES[shape], **COMMON}
    sd = make_weights(c)
    tok = make_tokenizer(c["vocab_size"])
    tok.save(str(out / "tokenizer" / "tokenizer.json"))
    tok.save(str(out / f"{shape}-hf" / "tokenizer.json"))
    config = {**c, "attention_dropout": 0.0, "hidden_dropout": 0.0, "use_cache": True, "rope_scaling": None}
    torch.save({"model_state_dict": sd, "config": config}, out / f"{shape}-f32.pt")
    half = {k: v.to(torch.bfloat16) for k, v in sd.items()}
    torch.save({"model_state_dict": half, "config": config}, out / f"{shape}-bf16.pt")
    save_file(half, out / f"{shape}-hf" / "model.safetensors", metadata={"format": "pt"})
    (out / f"{shape}-hf" / "config.json").write_text(json.dumps({**c, "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "torch_dtype": "bfloat16",
                                                                 "head_dim": c["hidden_size"] // c["num_attention_heads"], "attention_bias": False, "mlp_bias": False}, indent=1))
    write_gguf(out / f"{shape}-f32.gguf", c, sd, tok)
    prompts = [json.loads(line)["prompt"] for line in SUITE.read_text().splitlines() if line.strip()]
    (out / "prompts.json").write_text(json.dumps([{"prompt": p, "ids": tok.encode(p, add_special_tokens=False).ids} for p in prompts], indent=1))
    print(f"{sum(t.numel() for t in sd.values()):,} parameters in {out}")


if __name__ == "__main__":
    main()
