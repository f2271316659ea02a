"""Measures scbench and its peers in interleaved rounds and prints the goals, what was reached, and every figure.

usage: run.py BUILD_DIR [--rounds 3] [--only REGEX] [--quick] [--list] [--threads 2] [--real MODEL.gguf]
       run.py BUILD_DIR --table RESULTS.jsonl...

Every figure is a process of its own. Within a round the programs of a measure follow each other directly, so that whatever
else the machine does hits all of them; a ratio is taken within its round. Before each run the model is read once, so that every
program finds it in the page cache, and a quiet moment is waited for (at most 10 s). The CPU share of others during the run is
kept with the figure, and the table shows the largest. Everything runs at the ordinary priority.
Raw lines go to BUILD_DIR/bench/results.jsonl (each call appends; --table prints what such files say).
"""
import argparse
import json
import os
import pathlib
import re
import select
import shutil
import statistics
import subprocess
import sys
import time

import table

HERE = pathlib.Path(__file__).resolve().parent
REAL = HERE.parent.parent / "shared/data/models/SmolLM2-135M-Instruct.Q4_1.gguf"
PROMPT = 'def read_lines(path, encoding="utf-8"):\n    """Returns the lines of a file."""\n'  # about 32 tokens


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build", type=pathlib.Path)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--only", default="", help="measures whose name fits this pattern")
    p.add_argument("--skip", default="^$", help="programs whose name fits this pattern are left out")
    p.add_argument("--quick", action="store_true", help="one round, fewer repeats, no suites")
    p.add_argument("--list", action="store_true", help="only says what would be run")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--real", type=pathlib.Path, default=REAL)
    p.add_argument("--table", type=pathlib.Path, nargs="+")
    return p.parse_args()


class Case:
    def __init__(self, measure, program, command, busy=False):
        self.measure, self.program, self.busy = measure, program, busy
        self.command = [str(c) for c in command]
        self.what = measure.split()[1]


class Cases:
    """Which command measures what. A measure is called "MODEL WHAT"."""

    def __init__(self, a):
        self.build, self.threads, self.quick = a.build.resolve(), a.threads, a.quick
        self.dir = self.build / "bench"
        self.models = self.dir / "models"
        self.list = []
        medium = {k: self.models / f"medium-{k}.gguf" for k in ("q8_0", "q4_0", "bf16", "f16", "q4_k_m")}
        real = a.real if a.real.exists() else None
        self.single(medium)
        if real:
            self.decode("real", real, openvino=True)
            self.llama("real decode", real, "decode", threads=1, name="llama.cpp 1 thread")
        self.prefill(medium, real)
        self.batches(medium, real)
        self.starts(medium, real)
        self.beside_busy(medium)
        if not a.quick:
            self.suites(medium)
        self.checkpoints()
        self.starcoder()

    def add(self, measure, program, command, busy=False):
        self.list.append(Case(measure, program, command, busy))

    def speed(self, measure, model, options, compute="auto", busy=False, name=None):
        command = [self.build / "scbench", "speed", "-m", model, "--threads", self.threads, "--compute", compute, "--format", "json", *options]
        self.add(measure, name or ("scbench" if compute == "auto" else f"scbench {compute}"), command, busy)

    def llama(self, measure, model, what, *rest, threads=None, name="llama.cpp", busy=False):
        command = [self.dir / "llama/bin/python", HERE / "peer_llama.py", model, self.models / "prompts.json", threads or self.threads, what, *rest]
        self.add(measure, name, command, busy)

    def node(self, measure, model, what, *rest):
        self.add(measure, "llama.cpp of node", ["node", HERE / "peer_node.mjs", self.dir / "node/node_modules", model, self.threads, what, *rest])

    def openvino(self, measure, model, what, *rest, name="openvino"):
        self.add(measure, name, [self.dir / "openvino/bin/python", HERE / "peer_openvino.py", model, self.models / "prompts.json", self.threads, what, *rest])

    def torch(self, measure, dtype, what, *rest, load="mapped"):
        name = f"torch {dtype}" if load == "mapped" else f"torch {dtype}, loaded as the original"
        command = [self.dir / "torch/bin/python", HERE / "torch_smallcoder.py", self.models / f"medium-{dtype}.pt", self.models / "prompts.json", dtype, self.threads, load, what, *rest]
        self.add(measure, name, command)

    def transformers(self, measure, what):
        self.add(measure, "transformers bf16", [self.dir / "torch/bin/python", HERE / "peer_transformers.py", self.models / "medium-hf", self.models / "prompts.json", "bf16", self.threads, what])

    def decode(self, model, path, openvino=False):
        self.speed(f"{model} decode", path, self.decode_options())
        self.llama(f"{model} decode", path, "decode")
        if openvino:
            self.openvino(f"{model} decode", path, "decode")

    def decode_options(self):
        return ["-p", 0, "-n", 32 if self.quick else 128, "--depth", 32, "--repeats", 3]

    def single(self, medium):
        for kind in ("q8_0", "q4_0", "bf16", "q4_k_m"):
            self.decode(kind, medium[kind], openvino=kind == "q8_0")
            if kind in ("q8_0", "q4_0"):  # its makers' build, to see that ours is no worse
                self.node(f"{kind} decode", medium[kind], "decode")

    def prefill(self, medium, real):
        options = ["-p", 512, "-n", 0, "--repeats", 2 if self.quick else 5]
        for model, path in (("q8_0", medium["q8_0"]), ("real", real)):
            if not path:
                continue
            self.speed(f"{model} prefill", path, options)
            self.speed(f"{model} prefill", path, options, "int8")  # inputs of 8 bits, as the peers have them
            self.openvino(f"{model} prefill", path, "prefill")
            self.llama(f"{model} prefill", path, "prefill")
        self.node("q8_0 prefill", medium["q8_0"], "prefill")
        self.speed("bf16 prefill", medium["bf16"], options)
        self.openvino("bf16 prefill", medium["f16"], "prefill", name="openvino f16 file")  # it computes in bf16
        self.llama("bf16 prefill", medium["bf16"], "prefill")
        self.transformers("bf16 prefill", "prefill")
        self.torch("bf16 prefill", "bf16", "prefill")

    def batches(self, medium, real):
        options = ["-p", 0, "-n", 20 if self.quick else 100, "--depth", 32, "--batch", 32, "--repeats", 1, "--warmup", 0]
        for model, path in (("q8_0", medium["q8_0"]), ("real", real)):
            if not path:
                continue
            self.speed(f"{model} batch", path, options)
            self.speed(f"{model} batch", path, options, "int8")
            self.openvino(f"{model} batch", path, "batch", 32)
            self.llama(f"{model} batch", path, "batch", 32)

    def generate(self, model, tokenizer=None):
        tok = ["--tokenizer", tokenizer] if tokenizer else []
        return [self.build / "scbench", "generate", "-m", model, *tok, "--threads", self.threads, "--max-tokens", 1, "--greedy", "--prompt-mode", "base", "-p", PROMPT]

    def starts(self, medium, real):
        for model, path in (("q8_0", medium["q8_0"]), ("bf16", medium["bf16"]), ("real", real)):
            if not path:
                continue
            self.add(f"{model} start", "scbench", self.generate(path))
            self.llama(f"{model} start", path, "ttft")
            if model != "bf16":
                self.openvino(f"{model} start", path, "ttft")

    def beside_busy(self, medium):
        for busy in (False, True):
            suffix = ", one busy process" if busy else ""
            self.speed("q4_0 contended", medium["q4_0"], self.decode_options(), busy=busy, name="scbench" + suffix)
            self.llama("q4_0 contended", medium["q4_0"], "decode", name="llama.cpp" + suffix, busy=busy)

    def run(self, model, compute="auto", tokenizer=None):
        tok = ["--tokenizer", tokenizer] if tokenizer else []
        return [self.build / "scbench", "run", "-m", model, *tok, "--threads", self.threads, "--compute", compute, "-t", "builtin", "--prompt-mode", "base", "-n", 8, "--max-tokens", 150,
                "-q", "-o", self.dir / "runs"]

    def suites(self, medium):
        m = "medium suite"
        for kind, compute in (("q8_0", "auto"), ("q8_0", "int8"), ("q4_0", "int8"), ("bf16", "auto")):
            self.add(m, f"scbench {kind} {compute}", self.run(medium[kind], compute))
        self.openvino(m, medium["q8_0"], "suite", name="openvino q8_0")
        for kind in ("bf16", "q8_0", "q4_0"):
            self.llama(m, medium[kind], "suite", 88, name=f"llama.cpp {kind}")

    def checkpoints(self):
        """The .pt of the trainer against the same network in PyTorch."""
        tok = self.models / "tokenizer"
        for dtype in ("f32", "bf16"):
            path = self.models / f"medium-{dtype}.pt"
            self.add(f"checkpoint-{dtype} start", "scbench", self.generate(path, tok))
            self.torch(f"checkpoint-{dtype} start", dtype, "ttft")
            self.torch(f"checkpoint-{dtype} start", dtype, "ttft", load="original")
            self.speed(f"checkpoint-{dtype} decode", path, self.decode_options())
            self.torch(f"checkpoint-{dtype} decode", dtype, "decode")
            if not self.quick:
                self.add(f"checkpoint-{dtype} suite", "scbench", self.run(path, "auto", tok))
                self.torch(f"checkpoint-{dtype} suite", dtype, "suite", 1, load="original")

    def starcoder(self):
        path = self.models / "starcoder-1b-q8_0.gguf"
        if path.exists():
            self.decode("starcoder", path)


def busy_seconds():
    v = [int(x) for x in open("/proc/stat").readline().split()[1:9]]
    return (v[0] + v[1] + v[2] + v[5] + v[6]) / os.sysconf("SC_CLK_TCK")


def wait_quiet(limit):
    t0 = time.time()
    while time.time() - t0 < limit:
        a = busy_seconds()
        time.sleep(0.3)
        if busy_seconds() - a < 0.05:
            return


def warm(command):
    """Reads the files that a command names: every program starts with them in the page cache."""
    for name in command:
        if name.startswith("/") and pathlib.Path(name).is_file():
            with open(name, "rb", buffering=0) as f:
                while f.read(1 << 22):
                    pass


LONGEST = 1800  # seconds that a program may take


def run_one(command):
    """Runs a process; what it printed, when its first byte came, its wall time, peak memory and the CPU share of others."""
    b0, t0 = busy_seconds(), time.time()
    try:
        p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False, stdin=subprocess.DEVNULL)
    except OSError as e:  # a peer that could not be installed is a row that says so
        return dict(rc=127, first_s=None, wall_s=0, peak_kib=0, cpu_s=0, load=os.getloadavg()[0], others=0), "", str(e)
    got, first, err = [], None, b""
    while True:
        ready, _, _ = select.select([p.stdout, p.stderr], [], [], max(0, t0 + LONGEST - time.time()))
        if not ready:
            p.kill()
            err += f" killed after {LONGEST} s".encode()
            break
        if p.stdout in ready:
            b = os.read(p.stdout.fileno(), 1 << 16)
            if b and first is None:
                first = time.time() - t0
            got.append(b)
            if not b:
                break
        elif p.stderr in ready:
            err = (err + os.read(p.stderr.fileno(), 1 << 16))[-500:]
    _, status, use = os.wait4(p.pid, 0)
    wall = time.time() - t0
    p.returncode = os.waitstatus_to_exitcode(status)
    others = (busy_seconds() - b0 - use.ru_utime - use.ru_stime) / wall
    stat = dict(rc=p.returncode, first_s=first, wall_s=round(wall, 4), peak_kib=use.ru_maxrss, cpu_s=round(use.ru_utime + use.ru_stime, 3), load=os.getloadavg()[0], others=round(others, 3))
    return stat, b"".join(got).decode(errors="replace"), err.decode(errors="replace")


def made(out):
    """How many tokens the only run in this folder made; takes the folder away."""
    journal = next(pathlib.Path(out).glob("*/samples.jsonl"))
    n = sum(json.loads(line)["n_out"] for line in open(journal))
    shutil.rmtree(out)
    return n


def figures(case, stat, text):
    """What this run says: {"values": tokens a second, or seconds; and for our own speed rows their share of the limit}."""
    ours = case.program.startswith("scbench")
    if case.what == "start":
        if case.program.startswith("llama.cpp"):  # without Python's start, which is none of llama.cpp's doing
            return dict(values=[json.loads(text.splitlines()[-1])["first_s"]])
        return dict(values=[stat["first_s"]])
    if case.what == "suite":
        if ours:  # a sample may end early; what counts is the time that 13,200 tokens would take
            tokens = made(case.command[case.command.index("-o") + 1])
            return dict(values=[stat["wall_s"] * max(1, 13200 / tokens)], tokens=tokens)
        line = json.loads(text.splitlines()[-1])
        if case.program.startswith("torch"):  # one sample of each prompt; eight take eight times as long, the start once
            return dict(values=[line["wall_s"] + 7 * line["generate_s"]], scaled=8)
        return dict(values=[line["wall_s"]])
    if ours:
        rows = json.loads(text)["rows"]
        return dict(values=[x for row in rows for x in row["runs"]], of_limit=[row["of_limit"] for row in rows], step_bytes=rows[0]["step_bytes"])
    return dict(values=[json.loads(line)["tok_s"] for line in text.splitlines() if line.startswith("{")])


def measure(case):
    """One line of results."""
    if "-o" in case.command:
        shutil.rmtree(case.command[case.command.index("-o") + 1], ignore_errors=True)
    warm(case.command)
    wait_quiet(10)
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if case.busy else None
    try:
        stat, text, err = run_one(case.command)
        if case.what == "start" and stat["rc"] == 0:  # the first one found its libraries cold
            stat, text, err = run_one(case.command)
    finally:
        if other:
            other.kill()
            other.wait()
    try:
        got = figures(case, stat, text) if stat["rc"] == 0 else dict(values=[])
    except (ValueError, IndexError, KeyError):
        got = dict(values=[])
    return dict(measure=case.measure, program=case.program, **got, **stat, command=" ".join(case.command), err="" if got["values"] else err)


def limits(build, threads):
    r = subprocess.run([build / "scbench", "speed", "--limits", "--threads", str(threads), "--format", "json"], capture_output=True, text=True)
    if r.returncode:
        sys.exit(f"scbench speed --limits: {r.stderr.strip()}")
    return dict(measure="limits", **json.loads(r.stdout)["limits"][0])


def agreement(build):
    """How often the real model's likeliest token is float32's: what the test of it prints."""
    shared = HERE.parent.parent / "shared"
    env = {"SC_GOLDENS": str(shared / "goldens"), "SC_DATA": str(shared / "data"), **os.environ}
    test = next(build.rglob("test_model_real"), None)
    out = subprocess.run([test], capture_output=True, text=True, env=env, cwd=HERE.parent).stdout if test else ""
    found = re.search(r"# auto: (\d+) of (\d+) steps agree", out)
    return [dict(measure="real agreement", same=int(found[1]), steps=int(found[2]))] if found else []


def main():
    a = parse()
    if a.table:
        return table.show([json.loads(line) for path in a.table for line in open(path)])
    todo = [c for c in Cases(a).list if re.search(a.only, c.measure) and not re.search(a.skip, c.program)]
    if a.list:
        for c in todo:
            print(f"{c.measure}: {c.program}: {' '.join(c.command)}")
        return None
    if not todo and not re.search(a.only, "real agreement"):
        sys.exit(f"no measure fits {a.only!r}; --list names them")
    measures = list(dict.fromkeys(c.measure for c in todo))
    lines = []
    with open(a.build / "bench" / "results.jsonl", "a") as raw:

        def note(line):
            raw.write(json.dumps(line) + "\n")
            raw.flush()
            lines.append(line)

        if re.search(a.only, "real agreement"):
            for line in agreement(a.build.resolve()):
                note(line)
        stamp = time.time()
        for r in range(1 if a.quick else a.rounds):
            for m in measures:
                note(dict(limits(a.build, a.threads), round=f"{stamp:.0f}/{r}"))
                for case in [c for c in todo if c.measure == m]:
                    line = dict(measure(case), round=f"{stamp:.0f}/{r}")
                    note(line)
                    shown = f"{statistics.median(line['values']):.4g}" if line["values"] else "failed"
                    print(f"  round {r + 1}: {m}, {case.program}: {shown}", file=sys.stderr, flush=True)
    return table.show(lines)


if __name__ == "__main__":
    main()
