"""Writes random weights of Qwen2.5-0.5B's shape (494 M parameters, a vocabulary of 151,936) as a Q8_0 GGUF.

usage: make_qwen.py OUT_DIR      OUT_DIR/tokenizer/tokenizer.json (of make_medium.py) gives the first 32,000 tokens
"""
import pathlib
import sys

from random_gguf import RandomGguf

V, H, I, L, NH, NKV, CTX = 151936, 896, 4864, 24, 14, 2, 8192
D = H // NH


def main():
    out = pathlib.Path(sys.argv[1])
    m = RandomGguf(out / "qwen-0.5b-q8_0.gguf", "qwen2", V, CTX, H, I, L, NH, NKV)
    m.writer.add_layer_norm_rms_eps(1e-6)
    m.writer.add_rope_freq_base(1e6)
    m.tokenizer(out / "tokenizer" / "tokenizer.json", "qwen2", V)
    m.matrix("token_embd.weight", V, H)  # the head as well
    for i in range(L):
        p = f"blk.{i}."
        for norm in ("attn_norm", "ffn_norm"):
            m.vector(p + norm + ".weight", H, 1.0)
        for name, rows in (("attn_q", H), ("attn_k", NKV * D), ("attn_v", NKV * D)):
            m.matrix(f"{p}{name}.weight", rows, H)
            m.vector(f"{p}{name}.bias", rows)
        for name, rows, cols in (("attn_output", H, H), ("ffn_gate", I, H), ("ffn_up", I, H), ("ffn_down", H, I)):
            m.matrix(f"{p}{name}.weight", rows, cols)
    m.vector("output_norm.weight", H, 1.0)
    m.close()


if __name__ == "__main__":
    main()
