"""Let a checkpoint complete the built-in tasks: keyword score and share that compile() accepts. CHECKPOINT TOKENIZER TASKS.jsonl OUT.json"""
import argparse
import io
import json
import pathlib
import textwrap
import tokenize
import warnings

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from model import SmallCoder, rotate

TEMPERATURE, TOP_K, TOP_P, NEW_TOKENS = 0.7, 50, 0.9, 150


def load(path):
    checkpoint = torch.load(path, weights_only=True)
    model = SmallCoder(checkpoint["config"])
    model.load_state_dict({k: v.float() for k, v in checkpoint["model_state_dict"].items()})
    return model.eval(), checkpoint


@torch.no_grad()
def advance(model, ids, cache):
    """Logits of the last position; CACHE is a list of (keys, values), one a layer, that grows."""
    past = cache[0][0].shape[2] if cache else 0
    n = ids.shape[1]
    cos, sin = model.cos[past:past + n], model.sin[past:past + n]
    mask = model.mask[past:past + n, :past + n]
    x = model.model.embed_tokens(ids)
    for i, layer in enumerate(model.model.layers):
        a, h = layer.self_attn, layer.input_layernorm(x)
        b = h.shape[0]
        q = rotate(a.q_proj(h).view(b, n, a.nh, a.d).transpose(1, 2), cos, sin)
        k = rotate(a.k_proj(h).view(b, n, a.nkv, a.d).transpose(1, 2), cos, sin)
        v = a.v_proj(h).view(b, n, a.nkv, a.d).transpose(1, 2)
        if past:
            k, v = torch.cat((cache[i][0], k), 2), torch.cat((cache[i][1], v), 2)
            cache[i] = (k, v)
        else:
            cache.append((k, v))
        k, v = (t.repeat_interleave(a.nh // a.nkv, 1) for t in (k, v))
        y = torch.softmax(q @ k.mT / a.d ** 0.5 + mask, -1) @ v
        x = x + a.o_proj(y.transpose(1, 2).reshape(b, n, -1))
        x = x + layer.mlp(layer.post_attention_layernorm(x))
    return F.linear(model.model.norm(x[:, -1]), model.model.embed_tokens.weight)


def choose(logits, generator):
    logits = logits / TEMPERATURE
    floor = torch.topk(logits, TOP_K).values[:, -1:]
    logits = logits.masked_fill(logits < floor, float("-inf"))
    ordered, place = torch.sort(logits, descending=True)
    p = torch.softmax(ordered, -1)
    gone = p.cumsum(-1) - p > TOP_P
    gone[:, 0] = False
    p = p.masked_fill(gone, 0.0)
    return place.gather(1, torch.multinomial(p, 1, generator=generator))


def complete(model, tok, prompt, samples, seed):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.tensor([tok.encode(prompt).ids] * samples)
    cache, out, eos = [], [], model.config["eos_token_id"]
    step = ids
    for _ in range(NEW_TOKENS):
        step = choose(advance(model, step, cache), generator)
        out.append(step)
    rows = torch.cat(out, 1).tolist()
    cut = [row[:row.index(eos)] if eos in row else row for row in rows]
    return [(tok.decode(r), len(r) < NEW_TOKENS) for r in cut]


def compiles(text):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "completion", "exec", dont_inherit=True)
        return True
    except (SyntaxError, ValueError):
        return False


def unfinished(lines):
    """Whether the lines are the beginning of one statement that goes on (open bracket or string)."""
    try:
        list(tokenize.generate_tokens(io.StringIO(textwrap.dedent("\n".join(lines)) + "\n").readline))
        return False
    except tokenize.TokenError:
        return True
    except SyntaxError:
        return False


def without_last(text):
    """The text without its last statement, when that statement is the one the token limit cut."""
    lines = text.rstrip("\n").split("\n")
    for k in range(1, len(lines)):
        if k == 1 or unfinished(lines[-k:-1]):
            if compiles("\n".join(lines[:-k])):
                return "\n".join(lines[:-k])
    return None


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("checkpoint"), ask.add_argument("tokenizer"), ask.add_argument("tasks", type=pathlib.Path), ask.add_argument("out", type=pathlib.Path)
    ask.add_argument("--samples", type=int, default=8), ask.add_argument("--seed", type=int, default=20)
    args = ask.parse_args()
    torch.set_num_threads(1)  # one row of work a step: a second thread only waits
    model, checkpoint = load(args.checkpoint)
    tok = Tokenizer.from_file(args.tokenizer)
    rows, total = [], {"keyword": 0.0, "as_is": 0, "last_line": 0, "last_statement": 0, "ended": 0}
    tasks = [json.loads(line) for line in args.tasks.read_text().splitlines() if line.strip()]
    for number, task in enumerate(tasks):
        mine = dict.fromkeys(total, 0.0)
        for text, ended in complete(model, tok, task["prompt"], args.samples, args.seed * 1000 + number):
            whole = task["prompt"] + text
            keys = task["expected_keywords"]
            mine["keyword"] += sum(k.lower() in text.lower() for k in keys) / len(keys)
            as_is = compiles(whole)
            # The two softer rules apply only where the token limit cut the text.
            line = as_is or (not ended and compiles(whole.rpartition("\n")[0]))
            statement = line or (not ended and without_last(whole) is not None)
            for name, hit in (("as_is", as_is), ("last_line", line), ("last_statement", statement), ("ended", ended)):
                mine[name] += hit
            rows.append({"task": task["name"], "text": text, "ended": ended, "compiles": as_is, "compiles_cut": statement})
        for k in total:
            total[k] += mine[k]
        print(f"{task['name']:20}" + "".join(f"  {k} {v / args.samples:.3f}" for k, v in mine.items()), flush=True)
    n = len(rows)
    summary = {"samples": n, "seed": args.seed, "keyword_score": total["keyword"] / n, **{k: int(total[k]) for k in total if k != "keyword"}}
    print(json.dumps(summary))
    args.out.write_text(json.dumps({"summary": summary, "samples": rows}, indent=1))


if __name__ == "__main__":
    main()
