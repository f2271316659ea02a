"""llama.cpp through llama-cpp-python's bindings of its C functions: nothing of the Python layer above them is in the figures.

usage: peer_llama.py MODEL.gguf PROMPTS.json THREADS WHAT [N]
    ttft       load, a prompt of 32 tokens, the first token; counted from behind Python's own start and imports
    decode     three times 128 greedy tokens after a prompt of 32
    prefill    five times a prompt of 512
    batch N    N sequences: a prompt of 32 each, then 100 greedy tokens each, all in one batch
    suite N    every prompt read once and copied to 8 sequences, 150 greedy tokens each, N sequences in flight

Flash attention on, keys and values f16, sequences kept apart (kv_unified=false): its fastest settings on this kind of machine.
"""
import ctypes
import json
import os
import resource
import sys
import time

import llama_cpp
import numpy as np
from llama_cpp import llama_cpp as C

T0 = time.time()
path, prompts, threads, what = sys.argv[1:5]
number = int(sys.argv[5]) if len(sys.argv) > 5 else 88
threads = int(threads)
prompts = [p["ids"] for p in json.load(open(prompts))]
quiet = C.llama_log_callback(lambda *a: None)
C.llama_log_set(quiet, ctypes.c_void_p(0))


def open_model():
    C.llama_backend_init()
    model = C.llama_model_load_from_file(path.encode(), C.llama_model_default_params())
    if not model:
        sys.exit(f"{path}: llama.cpp cannot load it")
    return model


model = open_model()
n_vocab = C.llama_vocab_n_tokens(C.llama_model_get_vocab(model))
T1 = time.time()


def open_context(n_ctx, n_seq):
    p = C.llama_context_default_params()
    p.n_ctx, p.n_batch, p.n_ubatch, p.n_seq_max = n_ctx, 2048, 512, n_seq
    p.n_threads = p.n_threads_batch = threads
    p.flash_attn_type = 1
    p.kv_unified = False
    p.no_perf = True
    ctx = C.llama_init_from_model(model, p)
    if not ctx:
        sys.exit("llama.cpp makes no context")
    return ctx


class Batch:
    """A batch of the C library, filled through arrays: a Python loop over sequences would show in the figures."""

    def __init__(self, size):
        self.c = C.llama_batch_init(size, 0, 1)
        view = lambda p, t: np.ctypeslib.as_array(ctypes.cast(p, ctypes.POINTER(t)), (size,))
        self.token, self.pos = view(self.c.token, ctypes.c_int32), view(self.c.pos, ctypes.c_int32)
        self.n_seq, self.logits = view(self.c.n_seq_id, ctypes.c_int32), view(self.c.logits, ctypes.c_int8)
        self.seq = [np.ctypeslib.as_array(self.c.seq_id[i], (1,)) for i in range(size)]
        self.n_seq[:] = 1

    def run(self, ctx, n):
        self.c.n_tokens = n
        if C.llama_decode(ctx, self.c):
            sys.exit("llama_decode fails")

    def feed(self, ctx, ids, pos, seq):
        n = len(ids)
        self.token[:n], self.pos[:n], self.logits[:n] = ids, np.arange(pos, pos + n), 0
        self.logits[n - 1] = 1
        for i in range(n):
            self.seq[i][0] = seq
        self.run(ctx, n)
        return best(ctx, n - 1)


def best(ctx, i):
    p = C.llama_get_logits_ith(ctx, i)
    return int(np.ctypeslib.as_array(ctypes.cast(p, ctypes.POINTER(ctypes.c_float)), (n_vocab,)).argmax())


def out(**k):
    print(json.dumps(dict(who="llama.cpp", model=os.path.basename(path), what=what, version=llama_cpp.__version__, threads=threads, load_s=round(T1 - T0, 4),
                          peak_kib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, **k)), flush=True)


def random_prompt(n, r):
    return [300 + (i + 13 * r) * 7919 % (n_vocab - 400) for i in range(n)]


def decode_all(ctx, b, tok, pos, steps):
    """One greedy token for every sequence, `steps` times."""
    n = len(tok)
    for s in range(n):
        b.seq[s][0] = s
    b.logits[:n] = 1
    for i in range(steps):
        b.token[:n], b.pos[:n] = tok, pos + i
        b.run(ctx, n)
        tok = [best(ctx, s) for s in range(n)]


def do_ttft():
    ctx = open_context(512, 1)
    tok = Batch(64).feed(ctx, random_prompt(32, 0), 0, 0)
    print("token", tok, flush=True)
    out(first_s=round(time.time() - T0, 4))
    os._exit(0)


def do_decode():
    ctx, b = open_context(512, 1), Batch(512)
    for r in range(4):
        C.llama_memory_clear(C.llama_get_memory(ctx), False)
        tok = b.feed(ctx, random_prompt(32, r), 0, 0)
        n = 8 if r == 0 else 128
        t = time.time()
        decode_all(ctx, b, [tok], 32, n)
        if r:
            out(tok_s=round(n / (time.time() - t), 2))


def do_prefill():
    ctx, b = open_context(600, 1), Batch(512)
    for r in range(6):
        C.llama_memory_clear(C.llama_get_memory(ctx), False)
        t = time.time()
        b.feed(ctx, random_prompt(512, r), 0, 0)
        if r:
            out(tok_s=round(512 / (time.time() - t), 2))


def do_batch():
    ctx, b = open_context(256 * number, number), Batch(2048)
    for r in range(2):
        C.llama_memory_clear(C.llama_get_memory(ctx), False)
        tok = [b.feed(ctx, random_prompt(32, s), 0, s) for s in range(number)]
        n = 3 if r == 0 else 100
        t = time.time()
        decode_all(ctx, b, tok, 32, n)
        if r:
            out(n_seq=number, tok_s=round(number * n / (time.time() - t), 2))


def do_suite():
    """Prompts wait until all their 8 copies find a place; with 88 places everything is in flight at once."""
    ctx, b = open_context(256 * (number + 1), number + 1), Batch(2048)
    mem, made = C.llama_get_memory(ctx), 0
    for at in range(0, len(prompts), number // 8):
        C.llama_memory_clear(mem, False)
        tok, pos = [], []
        for ids in prompts[at : at + number // 8]:
            first = b.feed(ctx, ids, 0, number)
            for _ in range(8):
                C.llama_memory_seq_cp(mem, number, len(tok), -1, -1)
                tok.append(first)
                pos.append(len(ids))
            C.llama_memory_seq_rm(mem, number, -1, -1)
        decode_all(ctx, b, tok, np.array(pos), 149)
        made += 150 * len(tok)
    out(tokens=made, n_seq=number, tok_s=round(made / (time.time() - T1), 2), wall_s=round(time.time() - T0, 3))


dict(ttft=do_ttft, decode=do_decode, prefill=do_prefill, batch=do_batch, suite=do_suite)[what]()
