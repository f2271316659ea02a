"""Train the tokenizer and pack the training text into token arrays: DATA/*.jsonl -> OUT/tokenizer.json, DATA/{train,valid}.npy."""
import ast
import hashlib
import json
import pathlib
import random
import sys

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

VOCAB = 6144
END = "<|endoftext|>"
# A line break and the indentation after it are one piece: a prompt that ends in either continues as the training text does.
PATTERN = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s*[\r\n]+[ \t]*|\s+(?!\S)|\s+"
PACKAGE_CAP = 2_500_000  # bytes of one package that may enter training, so that no one project sets the tone
SNIPPET_SHARE = 0.6      # share of files that enter as their top-level functions and classes, each a document


def train_tokenizer(texts, path):
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=VOCAB, special_tokens=[END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tok.save(str(path))
    return tok


def snippets(text):
    """The file's top-level functions and classes, decorators included."""
    lines = text.split("\n")
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            begin = min([node.lineno] + [d.lineno for d in node.decorator_list])
            piece = "\n".join(lines[begin - 1:node.end_lineno]) + "\n"
            if len(piece) > 60:
                yield piece


def documents(items):
    for d in items:
        share = hashlib.sha256(("cut" + d["package"] + d["path"]).encode()).digest()[0] / 256
        if share < SNIPPET_SHARE:
            yield from snippets(d["text"])
        else:
            yield d["text"]


def load(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def capped(items):
    """Smaller files first claim a package's share: they are the cleaner ones."""
    used, kept = {}, []
    for d in sorted(items, key=lambda d: len(d["text"])):
        size = used.get(d["package"], 0) + len(d["text"])
        if size <= PACKAGE_CAP:
            used[d["package"]] = size
            kept.append(d)
    return kept


def pack(tok, texts, path):
    out = []
    for i in range(0, len(texts), 1000):
        for e in tok.encode_batch(texts[i:i + 1000]):
            out.append(np.array(e.ids + [0], dtype=np.uint16))
    ids = np.concatenate(out)
    np.save(path, ids)
    return ids.size


def main(data, out):
    rng = random.Random(1)
    train, valid = capped(load(data / "train.jsonl")), load(data / "valid.jsonl")
    rng.shuffle(train)
    tok = train_tokenizer((d["text"] for d in train[:len(train) // 3]), out / "tokenizer.json")
    docs = list(documents(train))
    rng.shuffle(docs)
    held = [d["text"] for d in valid]
    stats = {"train_files_used": len(train), "train_docs": len(docs), "train_text_bytes": sum(len(d.encode()) for d in docs),
             "train_tokens": pack(tok, docs, data / "train.npy"), "valid_docs": len(held),
             "valid_text_bytes": sum(len(d.encode()) for d in held), "valid_tokens": pack(tok, held, data / "valid.npy"), "vocab": tok.get_vocab_size()}
    (data / "tokens.json").write_text(json.dumps(stats, indent=1))
    print(json.dumps(stats, indent=1))


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:3]))
