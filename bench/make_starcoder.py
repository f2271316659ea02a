"""Writes random weights of StarCoderBase-1B's shape (1.1 B parameters, one key and value head) as a Q8_0 GGUF.

usage: make_starcoder.py OUT_DIR [LAYERS]      OUT_DIR/tokenizer/tokenizer.json (of make_medium.py) gives the first 32,000 tokens
"""
import pathlib
import sys

from random_gguf import RandomGguf

V, H, I, L, NH, CTX = 49152, 2048, 8192, 24, 16, 8192
D = H // NH


def main():
    out = pathlib.Path(sys.argv[1])
    layers = int(sys.argv[2]) if len(sys.argv) > 2 else L
    name = "starcoder-1b-q8_0.gguf" if layers == L else f"starcoder-{layers}-q8_0.gguf"
    m = RandomGguf(out / name, "starcoder", V, CTX, H, I, layers, NH, 1)
    m.writer.add_layer_norm_eps(1e-5)
    m.tokenizer(out / "tokenizer" / "tokenizer.json", "gpt-2", V)
    m.matrix("token_embd.weight", V, H)
    m.writer.add_tensor("position_embd.weight", m.normal(CTX, H, 0.02))
    for i in range(layers):
        p = f"blk.{i}."
        for norm in ("attn_norm", "ffn_norm"):
            m.vector(p + norm + ".weight", H, 1.0)
            m.vector(p + norm + ".bias", H)
        for name, rows, cols in (("attn_qkv", H + 2 * D, H), ("attn_output", H, H), ("ffn_up", I, H), ("ffn_down", H, I)):
            m.matrix(f"{p}{name}.weight", rows, cols)
            m.vector(f"{p}{name}.bias", rows)
    m.vector("output_norm.weight", H, 1.0)
    m.vector("output_norm.bias", H)
    m.close()


if __name__ == "__main__":
    main()
