"""transformers on the Llama folder of the same weights.

usage: peer_transformers.py HF_DIR PROMPTS.json DTYPE THREADS WHAT     WHAT: ttft, decode, prefill, suite (one left-padded batch of 8 samples of each prompt)
"""
import time

T0 = time.time()
import json
import resource
import sys

import torch
import transformers

where, prompts, dtype, threads, what = sys.argv[1:6]
transformers.logging.set_verbosity_error()
torch.set_num_threads(int(threads))
torch.manual_seed(1)
T1 = time.time()
model = transformers.AutoModelForCausalLM.from_pretrained(where, dtype={"f32": torch.float32, "bf16": torch.bfloat16}[dtype]).eval()
T2 = time.time()


def out(**k):
    print(json.dumps(dict(who="transformers " + dtype, what=what, version=transformers.__version__, threads=int(threads), import_s=round(T1 - T0, 3), load_s=round(T2 - T1, 3),
                          peak_kib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, **k)), flush=True)


def generate(rows, n):
    width = max(map(len, rows))
    ids, mask = torch.zeros(len(rows), width, dtype=torch.long), torch.zeros(len(rows), width, dtype=torch.long)
    for i, r in enumerate(rows):
        ids[i, width - len(r) :], mask[i, width - len(r) :] = torch.tensor(r), 1
    t = time.time()
    model.generate(ids, attention_mask=mask, max_new_tokens=n, min_new_tokens=n, do_sample=True, temperature=0.7, top_k=50, top_p=0.9, pad_token_id=0)
    return time.time() - t


def rows(n):
    return torch.randint(300, 31000, (1, n)).tolist()


with torch.inference_mode():
    if what == "ttft":
        generate(rows(32), 1)
        print("token", flush=True)
        out(first_s=round(time.time() - T0, 3))
    elif what == "decode":
        generate(rows(32), 8)
        for _ in range(3):
            r = rows(32)
            out(tok_s=round(128 / (generate(r, 129) - generate(r, 1)), 2))
    elif what == "prefill":
        for i in range(6):
            x = torch.tensor(rows(512))
            t = time.time()
            model(x, logits_to_keep=1)
            if i:
                out(tok_s=round(512 / (time.time() - t), 2))
    else:
        r = [p["ids"] for p in json.load(open(prompts)) for _ in range(8)]
        s = generate(r, 150)
        out(tokens=len(r) * 150, tok_s=round(len(r) * 150 / s, 2), wall_s=round(time.time() - T0, 3))
