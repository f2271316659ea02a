"""OpenVINO GenAI on a GGUF it reads itself.

usage: peer_openvino.py MODEL.gguf PROMPTS.json THREADS WHAT [N]     WHAT as for peer_llama.py; suite: one call, 8 samples of each prompt
"""
import time

T0 = time.time()
import json
import os
import resource
import sys

import numpy as np
import openvino as ov
import openvino_genai as og

T1 = time.time()
path, prompts, threads, what = sys.argv[1:5]
number = int(sys.argv[5]) if len(sys.argv) > 5 else 32
prompts = json.load(open(prompts))
props = {"INFERENCE_NUM_THREADS": int(threads)}
if what in ("suite", "batch"):
    s = og.SchedulerConfig()
    s.cache_size, s.max_num_seqs, s.max_num_batched_tokens, s.enable_prefix_caching = 4, 256, 4096, False
    props["scheduler_config"] = s
pipe = og.LLMPipeline(path, "CPU", **props)
T2 = time.time()
rng = np.random.default_rng(0)


def config(n, **k):
    c = og.GenerationConfig()
    c.max_new_tokens = c.min_new_tokens = n
    c.ignore_eos, c.do_sample = True, False
    for a, b in k.items():
        setattr(c, a, b)
    return c


def rows(n, length):
    x = rng.integers(300, 31000, (n, length))
    return og.TokenizedInputs(ov.Tensor(x), ov.Tensor(np.ones_like(x)))


def out(**k):
    print(json.dumps(dict(who="openvino", model=os.path.basename(path), what=what, version=og.__version__, threads=int(threads), import_s=round(T1 - T0, 3), load_s=round(T2 - T1, 3),
                          peak_kib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, **k)), flush=True)


def timed(x, n):
    t = time.time()
    pipe.generate(x, config(n))
    return time.time() - t


if what == "ttft":
    pipe.generate(rows(1, 32), config(1))
    print("token", flush=True)
    out(first_s=round(time.time() - T0, 3))
elif what == "decode":
    timed(rows(1, 32), 8)
    for _ in range(3):
        x = rows(1, 32)
        a, b = timed(x, 1), timed(x, 129)
        out(tok_s=round(128 / (b - a), 2))
elif what == "prefill":
    timed(rows(1, 512), 1)
    for _ in range(5):
        out(tok_s=round(512 / timed(rows(1, 512), 1), 2))
elif what == "batch":
    timed(rows(number, 32), 4)
    x = rows(number, 32)
    a, b = timed(x, 1), timed(x, 101)
    out(n_seq=number, tok_s=round(number * 100 / (b - a), 2))
else:
    t = time.time()
    r = pipe.generate([p["prompt"] for p in prompts], config(150, do_sample=True, temperature=0.7, top_p=0.9, top_k=50, num_return_sequences=8))
    n = len(r.texts) * 150
    out(tokens=n, tok_s=round(n / (time.time() - t), 2), wall_s=round(time.time() - T0, 3))
