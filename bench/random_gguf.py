"""Writes a GGUF of random Q8_0 weights, tensor by tensor: it never needs more memory than the largest of them."""
import json

import gguf
import numpy as np

Q8 = gguf.GGMLQuantizationType.Q8_0


class RandomGguf:
    """A file that is being written. The first tokens are those of a tokenizer.json, the rest are unused ones."""

    def __init__(self, path, arch, vocab, context, hidden, inner, layers, heads, kv_heads):
        self.rng = np.random.default_rng(1)
        w = self.writer = gguf.GGUFWriter(str(path), arch, use_temp_file=True)
        w.add_name(arch + "-random")
        w.add_context_length(context)
        w.add_embedding_length(hidden)
        w.add_feed_forward_length(inner)
        w.add_block_count(layers)
        w.add_head_count(heads)
        w.add_head_count_kv(kv_heads)
        w.add_vocab_size(vocab)
        w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)

    def tokenizer(self, path, pre, vocab):
        spec = json.loads(path.read_text())
        ids = {i: t for t, i in spec["model"]["vocab"].items()}
        kind = gguf.TokenType
        w = self.writer
        w.add_tokenizer_model("gpt2")
        w.add_tokenizer_pre(pre)
        w.add_token_list([ids.get(i, f"<unused{i}>") for i in range(vocab)])
        w.add_token_types([kind.CONTROL if i < 3 else kind.NORMAL if i in ids else kind.UNUSED for i in range(vocab)])
        w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in spec["model"]["merges"]])
        w.add_bos_token_id(1)
        w.add_eos_token_id(2)
        w.add_add_bos_token(False)

    def normal(self, rows, cols, scale):
        return self.rng.standard_normal((rows, cols), dtype=np.float32) * np.float32(scale)

    def matrix(self, name, rows, cols):
        self.writer.add_tensor(name, gguf.quants.quantize(self.normal(rows, cols, cols**-0.5), Q8), raw_dtype=Q8)

    def vector(self, name, n, value=0.0):
        self.writer.add_tensor(name, np.full(n, value, np.float32))

    def close(self):
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()
