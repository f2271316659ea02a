"""Measures scbench and its peers in interleaved rounds and prints medians, ratios and what the goals are.

usage: run.py BUILD_DIR [--rounds 3] [--only REGEX] [--pause PID] [--real MODEL.gguf] [--threads 2] [--table RESULTS.jsonl]

Every figure is a process of its own. Within a round the programs of a measure follow each other directly, so that whatever
else the machine does hits all of them. Before each run it waits for a quiet moment (at most 10 s); the CPU share of others
during the run is kept with the figure, and the table shows the largest. Everything runs at the ordinary priority. --pause
stops that process while something is measured and lets it go on afterwards.
Raw lines are appended to BUILD_DIR/bench/results.jsonl; --table only prints what such a file says.
"""
import argparse
import json
import os
import pathlib
import re
import select
import signal
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build", type=pathlib.Path)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--only", default="", help="measures whose name fits this pattern")
    p.add_argument("--skip", default="^$", help="programs that are left out")
    p.add_argument("--pause", type=int)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--real", type=pathlib.Path, default=HERE.parent.parent / "shared/data/models/SmolLM2-135M-Instruct.Q4_1.gguf")
    p.add_argument("--table", type=pathlib.Path)
    return p.parse_args()


class Cases:
    """Which command measures what. A case is (measure, program, command); `what` says which figure of it counts."""

    def __init__(self, a):
        self.build, self.threads = a.build.resolve(), str(a.threads)
        self.dir = self.build / "bench"
        self.models = self.dir / "models"
        self.real = a.real if a.real.exists() else None
        self.list = []
        self.torch()
        for kind in ("q8_0", "q4_0", "bf16", "q4_k_m"):
            self.gguf(kind, self.models / f"medium-{kind}.gguf")
        if self.real:
            self.gguf("real", self.real)
        if (self.models / "starcoder-1b-q8_0.gguf").exists():
            self.gguf("starcoder", self.models / "starcoder-1b-q8_0.gguf")

    def add(self, measure, program, *command):
        self.list.append((measure, program, [str(c) for c in command]))

    def ours(self, measure, model, what, tokenizer=None, n=0, compute="auto"):
        tok = ["--tokenizer", tokenizer] if tokenizer else []
        scbench = self.build / "scbench"
        speed = [scbench, "speed", "-m", model, "--threads", self.threads, "--compute", compute, "--format", "json"]
        if what == "decode":
            command = [*speed, "-p", 0, "-n", 128, "--depth", 32, "--repeats", 3]
        elif what == "prefill":
            command = [*speed, "-p", 512, "-n", 0, "--repeats", 5]
        elif what == "batch":
            command = [*speed, "-p", 0, "-n", 100, "--depth", 32, "--batch", n, "--repeats", 1, "--warmup", 0]
        elif what == "ttft":
            command = [scbench, "generate", "-m", model, *tok, "--threads", self.threads, "--compute", compute, "--max-tokens", 1, "--greedy", "-p", self.prompt()]
        else:
            command = [scbench, "run", "-m", model, *tok, "--threads", self.threads, "--compute", compute, "-t", "builtin", "-n", 8, "--max-tokens", 150, "-q", "-o", self.dir / "runs"]
        self.add(measure, "scbench" if compute == "auto" else f"scbench {compute}", *command)

    def prompt(self):
        """About 32 tokens of Python."""
        return 'def read_lines(path, encoding="utf-8"):\n    """Returns the lines of a file."""\n'

    def torch(self):
        peer = [self.dir / "torch/bin/python", HERE / "torch_smallcoder.py"]
        tok = self.models / "tokenizer"
        for what, extra in (("ttft", []), ("decode", []), ("prefill", []), ("suite", ["1"])):
            measure = f"checkpoint {what}"
            for dtype in ("f32", "bf16"):
                self.ours(measure + " " + dtype, self.models / f"medium-{dtype}.pt", what, tok)
                self.add(measure + " " + dtype, "torch " + dtype, *peer, self.models / f"medium-{dtype}.pt", self.models / "prompts.json", dtype, self.threads, what, *extra)

    def gguf(self, name, path):
        for what, n in (("ttft", ()), ("decode", ()), ("prefill", ()), ("batch", (32,)), ("suite", (88,))):
            measure = f"{name} {what}"
            self.ours(measure, path, what, n=n[0] if n else 0)
            if name != "bf16" and what in ("prefill", "batch", "suite"):  # inputs of 8 bits, as the peers have them
                self.ours(measure, path, what, n=n[0] if n else 0, compute="int8")
            self.add(measure, "llama.cpp", self.dir / "llama/bin/python", HERE / "peer_llama.py", path, self.models / "prompts.json", self.threads, what, *n)
            if name in ("q8_0", "real"):
                self.add(measure, "openvino", self.dir / "openvino/bin/python", HERE / "peer_openvino.py", path, self.models / "prompts.json", self.threads, what, *n)
            if name == "bf16" and what in ("prefill", "decode", "suite"):
                self.add(measure, "transformers", self.dir / "torch/bin/python", HERE / "peer_transformers.py", self.models / "medium-hf", self.models / "prompts.json", "bf16", self.threads, what)


def busy():
    v = [int(x) for x in open("/proc/stat").readline().split()[1:9]]
    return (v[0] + v[1] + v[2] + v[5] + v[6]) / os.sysconf("SC_CLK_TCK")


def wait_quiet(limit):
    t0 = time.time()
    while time.time() - t0 < limit:
        a = busy()
        time.sleep(0.3)
        if busy() - a < 0.05:
            return


def run_one(command):
    """Runs a process; what it printed, when its first byte came, its wall time, peak memory and the CPU share of others."""
    b0, t0 = busy(), time.time()
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False, stdin=subprocess.DEVNULL)
    got, first, err = [], None, b""
    while True:
        ready, _, _ = select.select([p.stdout, p.stderr], [], [])
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
    others = (busy() - b0 - use.ru_utime - use.ru_stime) / wall
    return dict(rc=p.returncode, first_s=first, wall_s=round(wall, 4), peak_kib=use.ru_maxrss, cpu_s=round(use.ru_utime + use.ru_stime, 3), load=os.getloadavg()[0], others=round(others, 3)), b"".join(got).decode(errors="replace"), err.decode(errors="replace")


def figures(program, what, r, text):
    """The value of the measure in this run: tok/s, or seconds for ttft and suite."""
    if what == "ttft":
        if program == "llama.cpp":  # without Python's start, which is none of llama.cpp's doing
            return [json.loads(text.splitlines()[-1])["first_s"]]
        return [r["first_s"]]
    if what == "suite":
        if program.startswith("scbench"):
            return [r["wall_s"]]
        line = json.loads(text.splitlines()[-1])
        return [line["wall_s"] * (8 if program.startswith("torch") else 1)]  # it does one sample of each prompt; eight take eight times as long
    if program.startswith("scbench"):
        return [x for row in json.loads(text)["rows"] for x in row["runs"]]
    return [json.loads(line)["tok_s"] for line in text.splitlines() if line.startswith("{")]


# measure: {program: how many times as fast we want to be}
GOALS = {
    "checkpoint decode": {"torch": 2}, "checkpoint ttft": {"torch": 10}, "checkpoint suite": {"torch": 5},
    "q8_0 decode": {"llama.cpp": 1.4}, "q4_0 decode": {"llama.cpp": 1.6}, "bf16 decode": {"llama.cpp": 1.15}, "real decode": {"llama.cpp": 2.0},
    "q8_0 prefill": {"openvino": 1.3, "llama.cpp": 4.5}, "bf16 prefill": {"llama.cpp": 1.5, "torch bf16": 1.5},
    "q8_0 batch": {"openvino": 2.0}, "real batch": {"openvino": 1.3}, "q8_0 ttft": {"llama.cpp": 2.5}, "real ttft": {"llama.cpp": 2.5},
}


def median(v):
    return statistics.median(v) if v else None


def print_table(lines):
    seen = {}
    for d in lines:
        seen.setdefault(d["measure"], {}).setdefault(d["program"], []).append(d)
    print("| measure | program | median | range | n | ours against it | goal | peak MiB | CPU s | others' CPU, load |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for measure, programs in seen.items():
        what = measure.split()[1]
        seconds = what in ("ttft", "suite")
        ours = median([x for d in programs.get("scbench", []) for x in d["values"]])
        for program, runs in programs.items():
            v = [x for d in runs for x in d["values"]]
            if not v:
                print(f"| {measure} | {program} | failed: {runs[-1].get('err', '')[-120:]!r} | | | | | | | |")
                continue
            ratio = "" if program.startswith("scbench") or not ours else f"{(median(v) / ours if seconds else ours / median(v)):.2f}"
            goals = GOALS.get(measure, GOALS.get(" ".join(measure.split()[:2]), {}))
            goal = next((str(g) for k, g in goals.items() if program.startswith(k)), "")
            unit = "s" if seconds else "tok/s"
            peak = median([d["peak_kib"] for d in runs]) / 1024
            print(f"| {measure} | {program} | {median(v):.4g} {unit} | {min(v):.4g} to {max(v):.4g} | {len(v)} | {ratio} | {goal} | {peak:.0f} | {median([d['cpu_s'] for d in runs]):.1f} | {max(d['others'] for d in runs):.2f}, {max(d['load'] for d in runs):.1f} |")


def limits(build):
    """The machine's limits, from our own probe."""
    r = subprocess.run([build / "scbench", "speed", "--limits"], capture_output=True, text=True)
    print(r.stdout if r.returncode == 0 else f"limits: {r.stderr.strip()}")


def main():
    a = parse()
    if a.table:
        return print_table([json.loads(line) for line in open(a.table)])
    cases = Cases(a)
    limits(a.build)
    todo = [c for c in cases.list if re.search(a.only, c[0]) and not re.search(a.skip, c[1])]
    measures = list(dict.fromkeys(m for m, _, _ in todo))
    lines = []
    with open(a.build / "bench" / "results.jsonl", "a") as raw:
        for r in range(a.rounds):
            for m in measures:
                for measure, program, command in [c for c in todo if c[0] == m]:
                    wait_quiet(10)
                    if a.pause:
                        os.kill(a.pause, signal.SIGSTOP)
                    try:
                        stat, text, err = run_one(command)
                    finally:
                        if a.pause:
                            os.kill(a.pause, signal.SIGCONT)
                    try:
                        values = figures(program, measure.split()[1], stat, text) if stat["rc"] == 0 else []
                    except (ValueError, IndexError, KeyError):
                        values = []
                    line = dict(measure=measure, program=program, round=r, values=values, **stat, command=" ".join(command), err="" if values else err)
                    raw.write(json.dumps(line) + "\n")
                    raw.flush()
                    lines.append(line)
                    print(f"  round {r + 1}: {measure}, {program}: {values or 'failed'}", file=sys.stderr, flush=True)
    print_table(lines)


if __name__ == "__main__":
    main()
