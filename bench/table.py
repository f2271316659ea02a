"""What the results of run.py say, as Markdown: the goals and whether they are met, the machine's limits, every figure."""
import re
import statistics

# (what is claimed, measure, our programs, their programs, goal). A goal is how many times as fast as the fastest of them our
# fastest shall be; "of limit" takes our own share of the machine's limit, "memory" our peak memory as a share of theirs.
GOALS = [
    ("one sequence, Medium Q8_0, against llama.cpp", "q8_0 decode", "scbench", "llama", 1.4),
    ("share of the measured bandwidth", "q8_0 decode", "scbench", "of limit", 0.90),
    ("one sequence, Medium Q4_0, against llama.cpp", "q4_0 decode", "scbench", "llama", 1.6),
    ("share of the measured bandwidth", "q4_0 decode", "scbench", "of limit", 0.80),
    ("one sequence, Medium bf16, against llama.cpp", "bf16 decode", "scbench", "llama", 1.15),
    ("share of the measured bandwidth", "bf16 decode", "scbench", "of limit", 0.93),
    ("one sequence, the real model (Q4_1), against llama.cpp's better of 1 and 2 threads", "real decode", "scbench", "llama", 2.0),
    ("prefill of 512, Medium Q8_0, against OpenVINO GenAI", "q8_0 prefill", "scbench", "openvino", 1.3),
    ("the same, against llama.cpp", "q8_0 prefill", "scbench", "llama", 4.5),
    ("prefill of 512, Medium bf16, against OpenVINO GenAI", "bf16 prefill", "scbench", "openvino", 1.0),
    ("the same, against llama.cpp", "bf16 prefill", "scbench", "llama", 1.5),
    ("the same, against PyTorch bf16", "bf16 prefill", "scbench", "torch|transformers", 1.5),
    ("32 sequences, Medium Q8_0, against OpenVINO GenAI", "q8_0 batch", "scbench", "openvino", 2.0),
    ("32 sequences, the real model, against OpenVINO GenAI", "real batch", "scbench", "openvino", 1.3),
    ("the suite, our best file against the best of every peer", "medium suite", "scbench", "openvino|llama", 2.2),
    ("the suite against PyTorch f32, its own loop", ("medium suite", "checkpoint-f32 suite"), "scbench", "torch", 50),
    ("process start to first token, the real model, against llama.cpp", "real start", "scbench", "llama", 2.5),
    ("process start to first token, Medium Q8_0, against llama.cpp", "q8_0 start", "scbench", "llama", 2.5),
    ("process start to first token, Medium bf16, against llama.cpp", "bf16 start", "scbench", "llama", 2.5),
    ("decode beside one busy process, against our own quiet figure", "q4_0 contended", "scbench, one busy process", "^scbench$", 0.5),
    ("(llama.cpp's, for comparison)", "q4_0 contended", "llama.cpp, one busy process", "^llama.cpp$", None),
    ("peak memory of the suite, Q8_0, as a share of llama.cpp's", "medium suite", "scbench q8_0 auto", "memory llama.cpp q8_0", 0.8),
    ("peak memory of the suite, bf16, as a share of llama.cpp's", "medium suite", "scbench bf16", "memory llama.cpp bf16", 0.8),
    ("checkpoint in f32: decode against PyTorch's better of f32 and bf16", ("checkpoint-f32 decode", "checkpoint-bf16 decode"), "scbench", "torch", 2.0),
    ("checkpoint f32: process start to first token, against PyTorch loaded as the original does", "checkpoint-f32 start", "scbench", "torch.*original", 10),
    ("the same, against PyTorch with mapped weights", "checkpoint-f32 start", "scbench", r"torch \w+$", 10),
    ("checkpoint bf16: process start to first token, against PyTorch loaded as the original does", "checkpoint-bf16 start", "scbench", "torch.*original", 10),
    ("the same, against PyTorch with mapped weights", "checkpoint-bf16 start", "scbench", r"torch \w+$", 10),
    ("checkpoint f32: peak memory as a share of PyTorch's, loaded as the original does", "checkpoint-f32 start", "scbench", "memory torch.*original", 0.6),
    ("the same, PyTorch with mapped weights", "checkpoint-f32 start", "scbench", r"memory torch \w+$", 0.6),
    ("checkpoint bf16: peak memory as a share of PyTorch's, loaded as the original does", "checkpoint-bf16 start", "scbench", "memory torch.*original", 0.6),
    ("the same, PyTorch with mapped weights", "checkpoint-bf16 start", "scbench", r"memory torch \w+$", 0.6),
    ("checkpoint: the suite, 11 x 8, against PyTorch's better of f32 and bf16", ("checkpoint-f32 suite", "checkpoint-bf16 suite"), "scbench", "torch", 5),
]
SECONDS = ("start", "suite")


def median(v):
    return statistics.median(v)


def values_of(lines, pattern):
    """{(measure, program): its values} of the programs that fit the pattern and have some."""
    out = {}
    for d in lines:
        if re.search(pattern, d["program"]) and d["values"]:
            out.setdefault((d["measure"], d["program"]), []).extend(d["values"])
    return out


def best(programs, seconds):
    """The program with the best median, and that median."""
    return (min if seconds else max)(((median(v), p) for p, v in programs.items()), key=lambda x: x[0])


def ratio(lines, ours, theirs, seconds):
    """How many times as fast our best is as their best: overall, and round by round."""
    mine, other = values_of(lines, ours), values_of(lines, theirs)
    if not mine or not other:
        return None
    (a, who), (b, whom) = best(mine, seconds), best(other, seconds)
    each = []
    for r in sorted({d["round"] for d in lines}):
        x = [v for d in lines if d["round"] == r and (d["measure"], d["program"]) == who for v in d["values"]]
        y = [v for d in lines if d["round"] == r and (d["measure"], d["program"]) == whom for v in d["values"]]
        if x and y:
            each.append(median(y) / median(x) if seconds else median(x) / median(y))
    return (b / a if seconds else a / b), each, (a, who), (b, whom)


def peak(lines, pattern):
    v = [d["peak_kib"] / 1024 for d in lines if re.search(pattern, d["program"]) and d["values"]]
    return median(v) if v else None


def short(x):
    return f"{x:.3g}" if x < 1000 else f"{x:.0f}"


def named(who, measures):
    """A program, with the model where a goal looks at several."""
    measure, program = who
    return program if isinstance(measures, str) else f"{program}, {measure.split()[0]}"


def goal_row(lines, goal):
    claim, measures, ours, theirs, want = goal
    lines = [d for d in lines if d["measure"] in ((measures,) if isinstance(measures, str) else measures)]
    what = (measures if isinstance(measures, str) else measures[0]).split()[1]
    unit = "s" if what in SECONDS else "tok/s"
    if theirs == "of limit":
        v = [x for d in lines if re.search(ours, d["program"]) for x in d.get("of_limit", [])]
        if not v:
            return None
        got, spread, left, right = median(v), v, "", ""
    elif theirs.startswith("memory "):
        a, b = peak(lines, ours), peak(lines, theirs.removeprefix("memory "))
        if not a or not b:
            return None
        got, spread, left, right = a / b, [], f"{a:.0f} MiB", f"{b:.0f} MiB"
    else:
        found = ratio(lines, ours, theirs, what in SECONDS)
        if not found:
            return None
        got, spread, (a, who), (b, whom) = found
        left, right = f"{short(a)} {unit} ({named(who, measures)})", f"{short(b)} {unit} ({named(whom, measures)})"
    low = theirs.startswith("memory ")
    met = "" if want is None else "met" if (got <= want if low else got >= want) else "missed"
    if met == "missed" and left and not low:  # how far a goal is from what the machine can do says whether to work on it
        share = [x for d in lines if (d["measure"], d["program"]) == who for x in d.get("of_limit", [])]
        met += f": it is {median(share):.2f} of the machine's limit, the goal would be {median(share) * want / got:.2f}" if share else ""
    sign = "" if want is None else f"<= {want:g}" if low else f">= {want:g}"
    inner = f"{short(min(spread))} to {short(max(spread))}" if len(spread) > 1 else ""
    return f"| {claim} | {left} | {right} | {got:.2f} | {inner} | {sign} | {met} |"


def show_goals(lines):
    print("| measure | ours | theirs | ratio | of each round | goal | |")
    print("|---|---|---|---|---|---|---|")
    for goal in GOALS:
        row = goal_row(lines, goal)
        measures = (goal[1],) if isinstance(goal[1], str) else goal[1]
        if row:
            print(row)
        elif all(any(d["measure"] == m for d in lines) for m in measures):  # it was tried
            print(f"| {goal[0]} | | | | | | not measured, see below |")


def show_agreement(lines):
    for d in lines[-1:]:
        share = d["same"] / d["steps"]
        print(f"| steps of the real model whose likeliest token is float32's, --compute auto | {d['same']} of {d['steps']} | | {share:.4f} | | >= 0.99 | {'met' if share >= 0.99 else 'missed'} |")


def show_limits(lines):
    if not lines:
        return
    print("\nThe machine's limits (median [lowest to highest] of the probes before each measure):\n")
    print("| threads | read GB/s, one thread | all | f32 G multiply-adds/s | bf16 | int8 | barrier us |")
    print("|---|---|---|---|---|---|---|")
    cells = []
    for key, scale in (("read_one", 1e-9), ("read_all", 1e-9), ("f32", 1e-9), ("bf16", 1e-9), ("int8", 1e-9), ("barrier_s", 1e6)):
        v = [d[key] * scale for d in lines]
        cells.append(f"{short(median(v))} [{short(min(v))} to {short(max(v))}]")
    print(f"| {lines[0]['threads']} | " + " | ".join(cells) + " |")


def show_all(lines):
    print("\nEvery figure:\n")
    print("| measure | program | median | range | n | of the limit | peak MiB | CPU s | others' CPU, load at most |")
    print("|---|---|---|---|---|---|---|---|---|")
    for measure in dict.fromkeys(d["measure"] for d in lines):
        here = [d for d in lines if d["measure"] == measure]
        unit = "s" if measure.split()[1] in SECONDS else "tok/s"
        for program in dict.fromkeys(d["program"] for d in here):
            runs = [d for d in here if d["program"] == program]
            v = [x for d in runs for x in d["values"]]
            if not v:
                print(f"| {measure} | {program} | failed: {runs[-1].get('err', '')[-120:]!r} | | | | | | |")
                continue
            share = [x for d in runs for x in d.get("of_limit", [])]
            print(f"| {measure} | {program} | {short(median(v))} {unit} | {short(min(v))} to {short(max(v))} | {len(v)} | {f'{median(share):.2f}' if share else ''} "
                  f"| {median([d['peak_kib'] for d in runs]) / 1024:.0f} | {median([d['cpu_s'] for d in runs]):.1f} | {max(d['others'] for d in runs):.2f}, {max(d['load'] for d in runs):.1f} |")


def show(lines):
    figures = [d for d in lines if "program" in d]
    show_goals(figures)
    show_agreement([d for d in lines if d["measure"] == "real agreement"])
    show_limits([d for d in lines if d["measure"] == "limits"])
    show_all(figures)
