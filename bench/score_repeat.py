"""Scores the same samples twice with a busy loop on every core beside it, once without, and lists verdicts that differ.

usage: score_repeat.py BUILD_DIR SAMPLES.jsonl [--workers 2]
"""
import argparse
import json
import os
import pathlib
import signal
import sys

from score_bench import score


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build", type=pathlib.Path)
    p.add_argument("samples", type=pathlib.Path)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--data", type=pathlib.Path, default=pathlib.Path(os.environ.get("SC_DATA", "../shared/data")) / "HumanEval.jsonl.gz")
    a = p.parse_args()
    out, runs = a.build.resolve() / "bench/score-runs/repeat", []
    loops = []
    try:
        for load in (False, True, True):
            while load and len(loops) < (os.cpu_count() or 1):
                pid = os.fork()
                while pid == 0:
                    pass
                loops.append(pid)
            wall, rows, _ = score(a.build.resolve(), a.data, a.samples, out, a.workers)
            runs.append([r["scbench"]["verdict"] for r in rows])
            print(f"{'under load' if load else 'alone'}: {len(rows)} samples in {wall:.1f} s, {runs[-1].count('passed')} passed, {runs[-1].count('timeout')} timeouts", flush=True)
    finally:
        for pid in loops:
            os.kill(pid, signal.SIGKILL)  # our own children
            os.waitpid(pid, 0)
    for name, other in (("alone and first under load", runs[1]), ("alone and second under load", runs[2])):
        differ = [(i, x, y) for i, (x, y) in enumerate(zip(runs[0], other)) if x != y]
        print(f"{name}: {len(differ)} verdicts differ {differ[:10]}")
    sys.exit(any(r != runs[0] for r in runs))


if __name__ == "__main__":
    main()
