"""Writes random weights of Qwen2.5-0.5B's shape (494 M parameters, a vocabulary of 151,936) as a Q8_0 GGUF.

usage: make_qwen.py OUT_DIR      OUT_DIR/tokenizer/tokenizer.json (of make_medium.py) gives the first 32,000 tokens
"""
import json
import pathlib
import sys

import gguf
import numpy as np

V, H, I, L, NH, NKV, CTX = 151936, 896, 4864, 24, 14, 2, 8192
D = H // NH
Q8 = gguf.GGMLQuantizationType.Q8_0


def main():
    out = pathlib.Path(sys.argv[1])
    spec = json.loads((out / "tokenizer" / "tokenizer.json").read_text())
    ids = {i: t for t, i in spec["model"]["vocab"].items()}
    w = gguf.GGUFWriter(str(out / "qwen-0.5b-q8_0.gguf"), "qwen2", use_temp_file=True)
    w.add_name("qwen-random")
    w.add_context_length(CTX)
    w.add_embedding_length(H)
    w.add_feed_forward_length(I)
    w.add_block_count(L)
    w.add_head_count(NH)
    w.add_head_count_kv(NKV)
    w.add_layer_norm_rms_eps(1e-6)
    w.add_rope_freq_base(1e6)
    w.add_vocab_size(V)
    w.add_file_type(7)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list([ids.get(i, f"<unused{i}>") for i in range(V)])
    w.add_token_types([gguf.TokenType.NORMAL if i in ids and i > 2 else gguf.TokenType.CONTROL if i < 3 else gguf.TokenType.UNUSED for i in range(V)])
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in spec["model"]["merges"]])
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_add_bos_token(False)
    rng = np.random.default_rng(1)

    def matrix(name, rows, cols):
        a = rng.standard_normal((rows, cols), dtype=np.float32) * np.float32(cols**-0.5)
        w.add_tensor(name, gguf.quants.quantize(a, Q8), raw_dtype=Q8)

    def vector(name, n, value=0.0):
        w.add_tensor(name, np.full(n, value, np.float32))

    matrix("token_embd.weight", V, H)  # the head as well
    for i in range(L):
        p = f"blk.{i}."
        for norm in ("attn_norm", "ffn_norm"):
            vector(p + norm + ".weight", H, 1.0)
        for name, rows in (("attn_q", H), ("attn_k", NKV * D), ("attn_v", NKV * D)):
            matrix(f"{p}{name}.weight", rows, H)
            vector(f"{p}{name}.bias", rows)
        for name, rows, cols in (("attn_output", H, H), ("ffn_gate", I, H), ("ffn_up", I, H), ("ffn_down", H, I)):
            matrix(f"{p}{name}.weight", rows, cols)
    vector("output_norm.weight", H, 1.0)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    main()
