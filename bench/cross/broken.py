#!/usr/bin/env python3
"""Good model and tokenizer files, broken by chance: scbench must say what is wrong in one line, soon, in bounded memory.

  broken.py --scbench build/scbench --goldens ../shared/goldens --work DIR [--n 500] [--seed 1]

Every case runs under a limit of time and of address space. A case fails when the program ends by a signal or late,
with an exit code that is not 0, 1 or 2, without exactly one error line, or with an error that does not name the file.
`models verify` says what it found on standard output, a line a check.
"""
import argparse, glob, gzip, json, os, random, re, shutil, struct, subprocess, sys

R = random.Random()
pick = lambda *a: R.choice(a)
maybe = lambda p=0.5: R.random() < p
NUMBERS = [0, 1, -1, 2, 3, 7, 127, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 1e308, 0.5, -0.0, 1e-320, float("nan"), float("inf")]


def value(depth=0):
    k = R.randrange(8)
    if k < 3: return pick(*NUMBERS)
    if k == 3: return pick("", "a", "\x00", "yarn", "é", "../../x", "/dev/zero", "silu", "x" * 5000)
    if k == 4: return pick(True, False, None)
    if k == 5 and depth < 3: return [value(depth + 1) for _ in range(R.randrange(4))]
    if k == 6 and depth < 3: return {pick("a", "type", "factor", "0"): value(depth + 1) for _ in range(R.randrange(3))}
    return pick([], {}, [[]], [None] * 1000)


def places(j, out, depth=0):
    if isinstance(j, dict):
        for k in j: out.append((j, k)); places(j[k], out, depth + 1)
    elif isinstance(j, list):
        for i in range(min(len(j), 40)): out.append((j, i)); places(j[i], out, depth + 1)
    return out


def break_json(text):
    if maybe(0.15):
        return pick(b"", b"{", b"[" * 100000, b'{"a":' * 100000, b"\xff\xfe{}", b"null", b"1e999", text + b"x", text * 2, text.replace(b":", b"", 1), b'{"model_type":"llama",' + text[1:], text.replace(b'"', b"'"),
                    text.replace(b"1", b"NaN", 1), text.replace(b"}", b',"\\ud800":1}', 1), b" " * 200000 + text)
    j = json.loads(text)
    for _ in range(pick(1, 1, 2)):
        at = places(j, [])
        if not at: break
        o, k = pick(*at)
        if maybe(0.2) and isinstance(o, dict): del o[k]
        else: o[k] = value()
    return json.dumps(j).encode()


def break_bytes(b):
    b = bytearray(b)
    n = len(b)
    k = R.randrange(8)
    if k == 0: return bytes(b[:R.randrange(n)])
    if k == 1: return bytes(b[:max(1, n - pick(1, 2, 8, 22, 100))])
    for _ in range(pick(1, 1, 2, 5)):
        at = R.randrange(min(n, pick(16, 64, 512, 4096, n)))
        if maybe(0.3): at = n - 1 - R.randrange(min(n, pick(22, 100, 2000)))
        if k == 2: b[at] ^= 1 << R.randrange(8)
        elif k == 3: b[at] = R.randrange(256)
        elif k == 4: b[at:at + 8] = struct.pack("<Q", pick(0, 1, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1, n, n + 1, 2**40))[:max(0, min(8, n - at))]
        elif k == 5: b[at:at + 4] = struct.pack("<I", pick(0, 1, 2**31 - 1, 2**31, 2**32 - 1, n))[:max(0, min(4, n - at))]
        elif k == 6: b[at:at] = bytes(R.randrange(256) for _ in range(pick(1, 4, 8)))
        else:
            to = R.randrange(n)
            b[at:at + 16] = b[to:to + 16]
    return bytes(b)


def break_safetensors(b):
    n = struct.unpack("<Q", b[:8])[0]
    h = b[8:8 + n]
    if maybe(0.3): return break_bytes(b)
    if maybe(0.2):
        j = json.loads(h)
        names = [k for k in j if k != "__metadata__"]
        a, c = R.sample(names, 2) if len(names) > 1 else (names[0], names[0])
        j[a]["data_offsets"] = j[c]["data_offsets"]
        if maybe(): j[a]["shape"] = j[c]["shape"]
        h = json.dumps(j).encode()
    else:
        h = break_json(h)
    if maybe(0.1): h = h[:-1] + b"," + h[1:]
    return struct.pack("<Q", len(h) if maybe(0.9) else pick(0, 2**63, 2**64 - 1, len(h) + 1)) + h + b[8 + n:]


def break_pickle_zip(b):
    """Edits the pickle inside a stored zip in place."""
    at = b.find(b"\x80\x02}")
    if at < 0 or maybe(0.4): return break_bytes(b)
    b = bytearray(b)
    for _ in range(pick(1, 2, 4)):
        b[at + R.randrange(min(4000, len(b) - at))] = pick(*b"()}{][.Rbsu0a1e2tqrhjKJMGcNX\x80\x88\x89\x85\x86\x94\x8c\x93Q", R.randrange(256))
    return bytes(b)


EVIL_PICKLES = [b"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x00a\x85R.", b"\x80\x02]q\x00h\x00a.", b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.", b"\x80\x02" + b"(" * 1000000 + b".",
                b"\x80\x02" + b"]" * 1000000 + b".", b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f}.", b"\x80\x02X\xff\xff\xff\x7fa.", b"\x80\x02]" + b"2" * 500000 + b".", b"\x80\x02" + b"".join(b"]q" + bytes([i % 250]) + b"h" + bytes([i % 250]) + b"a" for i in range(2000)) + b"."]


def zip_with(name, data, method=0):
    import io, zipfile
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w", zipfile.ZIP_DEFLATED if method else zipfile.ZIP_STORED) as z:
        z.writestr(f"{name}/data.pkl", data)
        z.writestr(f"{name}/version", b"3\n")
        if method: z.writestr(f"{name}/data/0", b"\0" * (200 << 20))
    return f.getvalue()


def run(a, args, want_name, feed=b""):
    cmd = f"ulimit -v {a.memory << 20}; exec timeout -k 1 10 \"$@\""
    r = subprocess.run(["bash", "-c", cmd, "x", *args], input=feed, capture_output=True)
    err = r.stderr.decode("utf-8", "replace")
    lines = [l for l in err.split("\n") if l.startswith("scbench: error:")]
    if args[2] == "verify" and r.returncode == 1 and not lines:  # what it found is its result, a check a line
        lines = [l for l in r.stdout.decode("utf-8", "replace").split("\n") if l.startswith("failed ")][:1]
    bad = None
    if r.returncode not in (0, 1, 2): bad = f"exit {r.returncode}: {err[-300:]}"
    elif r.returncode and len(lines) != 1: bad = f"{len(lines)} error lines: {err[:300]!r}"
    elif r.returncode and want_name and "do not fit the context" not in lines[0] and not any(w in lines[0] for w in want_name): bad = f"does not name the file: {lines[0][:300]}"
    elif r.returncode and len(lines[0]) > 2000: bad = f"a line of {len(lines[0])}: {lines[0][:200]}"
    return r.returncode, bad, lines[0][:200] if lines else ""


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--scbench", default="build/scbench")
    p.add_argument("--goldens", default="../shared/goldens")
    p.add_argument("--work", required=True)
    p.add_argument("--n", type=int, default=300)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--memory", type=int, default=4, help="GiB of address space")
    p.add_argument("--only")
    a = p.parse_args()
    exe = os.path.abspath(a.scbench)
    g = a.goldens
    verify = ["verify"] if b"models verify" in subprocess.run([exe, "help", "models"], capture_output=True).stdout else []
    shutil.rmtree(a.work, ignore_errors=True)
    os.makedirs(a.work)
    folders = {"safetensors": "llama", "moe": "qwen3_moe", "sharded": "llama-sharded", "bin": "llama-bin", "bin-sharded": "llama-bin-sharded", "bin-legacy": "llama-bin-legacy", "phi3": "phi3", "gpt2": "gpt2"}
    kinds = list(folders) + ["pt", "pt-legacy", "gguf", "gguf-q", "tokenizer", "evil"]
    if a.only: kinds = a.only.split(",")
    total, failed, codes = 0, 0, {}
    for i in range(a.n):
        R.seed(f"{a.seed}-{i}")
        kind = kinds[i % len(kinds)]
        d = f"{a.work}/{i}-{kind}"
        os.makedirs(d)
        names = [d]
        cmd = [exe, "models", pick("logits", "logits", "info", *verify), d]
        if kind in folders:
            for f in os.listdir(f"{g}/models/{folders[kind]}"):
                if f.endswith((".json", ".bin", ".safetensors")) and not f.startswith(("expected", "config.v5")): shutil.copy(f"{g}/models/{folders[kind]}/{f}", d)
            files = [f for f in os.listdir(d)]
            f = pick(*files)
            b = open(f"{d}/{f}", "rb").read()
            b = break_json(b) if f.endswith(".json") else break_safetensors(b) if f.endswith(".safetensors") else break_pickle_zip(b)
            os.remove(f"{d}/{f}")
            if maybe(0.03): pass
            elif maybe(0.02): os.mkdir(f"{d}/{f}")
            elif maybe(0.02): os.symlink(f, f"{d}/{f}")
            else: open(f"{d}/{f}", "wb").write(b)
        elif kind in ("pt", "pt-legacy", "gguf", "gguf-q", "evil"):
            src = {"pt": f"{g}/models/smallcoder/main-f32.pt", "pt-legacy": glob.glob(f"{g}/models/smallcoder/*legacy.pt")[0], "gguf": f"{g}/gguf/llama.gguf", "gguf-q": pick(*glob.glob(f"{g}/gguf/types/*.gguf")), "evil": None}[kind]
            ext = ".gguf" if "gguf" in kind else ".pt"
            f = f"{d}/m{ext}"
            if kind == "evil":
                e = pick(*EVIL_PICKLES)
                open(f, "wb").write(e if maybe(0.4) else zip_with(pick("a", "archive", "..", ""), e, maybe(0.2)))
            else:
                b = open(src, "rb").read()
                open(f, "wb").write(break_pickle_zip(b) if "pt" in kind else break_bytes(b))
            cmd[3] = f
        else:
            src = pick(*glob.glob(f"{g}/tokenizers/synthetic/*/tokenizer.json"))
            b = open(src, "rb").read()
            open(f"{d}/tokenizer.json", "wb").write(break_json(b) if maybe(0.7) else break_bytes(b))
            cmd = [exe, "tok", pick("encode", "decode"), "--tokenizer", f"{d}/tokenizer.json"]
        if cmd[2] == "logits": cmd += ["--ids", "1,2,3", "--greedy", "2", "-o", f"{d}/out.st"]
        feed = b"def f(x):\n  return <s>x</s> 12 \xc3\xa9" if cmd[2] == "encode" else b"1 2 3 4 5"
        rc, bad, line = run(a, cmd, names, feed)
        total += 1
        codes[rc] = codes.get(rc, 0) + 1
        if bad:
            failed += 1
            print(f"{i} {kind} {' '.join(cmd[1:3])}: {bad}", flush=True)
        else:
            shutil.rmtree(d)
    if not a.only:
        f2, t2 = special_files(a, exe, g, verify)
        failed += f2
        total += t2
    print(f"{total} broken files, {failed} wrong, exit codes {codes}")
    sys.exit(1 if failed else 0)


def special_files(a, exe, g, verify):
    """What is no file at all, and names that are no text."""
    d = os.path.abspath(a.work) + "/special"
    os.makedirs(d)
    os.symlink("loop", f"{d}/loop")
    os.mkfifo(f"{d}/fifo")
    os.mkfifo(f"{d}/fifo.gguf")
    os.mkdir(f"{d}/dir.gguf")
    os.mkdir(f"{d}/dir.pt")
    os.symlink(f"{d}/dirloop", f"{d}/dirloop")
    for n in ("a", "b"):
        os.makedirs(f"{d}/{n}")
    os.symlink("../b/x", f"{d}/a/x")
    os.symlink("../a/x", f"{d}/b/x")
    open(f"{d}/empty", "wb").close()
    open(f"{d}/empty.gguf", "wb").close()
    for n, files in {"nodir": {}, "fifoconfig": {"config.json": None}, "fifoweights": {"config.json": 1, "model.safetensors": None}, "fifotok": {"config.json": 1, "model.safetensors": 1, "tokenizer.json": None}}.items():
        os.makedirs(f"{d}/{n}")
        for f, v in files.items():
            if v is None: os.mkfifo(f"{d}/{n}/{f}")
            elif f == "tokenizer.json": shutil.copy(glob.glob(f"{g}/tokenizers/synthetic/*/tokenizer.json")[0], f"{d}/{n}/{f}")
            else: shutil.copy(f"{g}/models/llama/{f}", f"{d}/{n}/{f}")
    odd = os.fsencode(d) + b"/\xff\xfe\x1b[31m\n.gguf"
    shutil.copy(f"{g}/gguf/llama.gguf", odd)
    bad = os.fsencode(d) + b"/\xff\xfebad\x1b[31m.gguf"
    open(bad, "wb").write(b"GGUF\x03\0\0\0")
    failed = total = 0
    for path in [f"{d}/{n}" for n in ("loop", "fifo", "fifo.gguf", "dir.gguf", "dir.pt", "dirloop", "a/x", "empty", "empty.gguf", "nodir", "fifoconfig", "fifoweights", "fifotok", "none", "empty/x")] + ["/dev/zero", "/dev/null", "/dev/urandom", "/dev/stdin", "/proc/self/mem", "/proc/self/environ", "", odd, bad]:
        for args in (["models", "info", path], ["models", "logits", path, "--ids", "1", "-o", f"{d}/out.st"], *[["models", v, path] for v in verify], ["generate", "--model", path, "--prompt", "a", "--max-new-tokens", "1"], ["tok", "encode", "--tokenizer", path]):
            rc, wrong, line = run(a, [exe, *args], [], b"x")
            total += 1
            if not wrong and path != odd and rc == 0 and not str(path).endswith(("fifotok", "environ")): wrong = "exit 0"
            if "\x1b" in line: wrong = f"an escape in {line!r}"
            if wrong:
                failed += 1
                print(f"special {args[0]} {args[1]} {path!r}: {wrong}", flush=True)
    return failed, total


if __name__ == "__main__":
    main()
