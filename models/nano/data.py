"""Turn binary Debian packages into training text: extract, filter, deduplicate, split.

Reads DEBS/*.deb, writes OUT/{train,valid}.jsonl (one file a line) and OUT/data.json (what was kept and why the rest was not).
"""
import ast
import collections
import hashlib
import json
import multiprocessing
import pathlib
import re
import subprocess
import sys
import warnings

HERE = pathlib.Path(__file__).parent
PERMISSIVE = re.compile(r"^(bsd|mit|expat|apache|isc|psf|python|hpnd|x11|public-domain|pyramid|gpl-2\+ or apache)", re.I)
COPYLEFT = re.compile(r"GNU (Lesser |Library |Affero )?General Public|Mozilla Public|\b[AL]?GPL", re.I)
VENDORED = re.compile(r"/(_?vendor(ed)?|extern(al)?s?|_?bundled|third_?party|tests?|testing|locale|migrations|lib2to3/tests)/|/(test_[^/]*|[^/]*_test|conftest|setup|_version|[^/]*(parsetab|lextab|unicodedata|entities))\.py$")
GENERATED = re.compile(r"(?i)(auto-?generated|generated (by|from|file)|do not edit)")
MAX_BYTES, MIN_BYTES = 50_000, 300


def licence_of(package, root):
    """The licence of `Files: *` in a machine-readable Debian copyright file, else ''."""
    path = root / "usr/share/doc" / package / "copyright"
    if not path.is_file():
        return ""
    text = path.read_text(errors="replace")
    found = re.search(r"^Files:\s*\*\s*$.*?^License:[ \t]*(\S[^\n]*)?$", text, re.M | re.S)
    return (found.group(1) or "").strip() if found else ""


def excluded_signatures():
    lines = (HERE / "excluded_signatures.txt").read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def signatures(tree):
    """NAME(ARG,ARG) of every function; the same without a leading self/cls, so that methods count too."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            a = node.args
            names = [x.arg for x in a.posonlyargs + a.args]
            if a.vararg:
                names.append("*" + a.vararg.arg)
            names += [x.arg for x in a.kwonlyargs]
            if a.kwarg:
                names.append("**" + a.kwarg.arg)
            yield f"{node.name}({','.join(names)})"
            if names and names[0] in ("self", "cls"):
                yield f"{node.name}({','.join(names[1:])})"


def written_signatures(text):
    """The same from the raw text, so that code inside strings and docstrings counts too."""
    for name, arguments in re.findall(r"\bdef\s+(\w+)\s*\(([^()]*)\)", text):
        names = [re.split(r"[:=]", a)[0].strip() for a in arguments.split(",") if a.strip()]
        yield f"{name}({','.join(names)})"


def holds_task(text, tree, banned):
    if re.search(r"\bclass\s+Stack\b", text) or (re.search(r"\bclass\s+Node\b", text) and re.search(r"\bclass\s+LinkedList\b", text)):
        return True
    if any(s in banned for s in written_signatures(text)):
        return True
    classes = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    if "Stack" in classes or {"Node", "LinkedList"} <= classes:
        return True
    return any(s in banned for s in signatures(tree))


def trim(text, tree):
    """Drop the leading comment block and the module docstring; cut docstrings of more than four lines to their first sentence lines."""
    lines = text.split("\n")
    drop, replace = set(), {}
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or not node.body:
            continue
        first = node.body[0]
        if not (isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)):
            continue
        begin, end = first.lineno - 1, first.end_lineno - 1
        if isinstance(node, ast.Module):
            drop.update(range(begin, end + 1))
        elif end - begin >= 3:
            words = first.value.value.strip().split("\n\n")[0].split("\n")[0].strip()
            indent = " " * first.col_offset
            drop.update(range(begin + 1, end + 1))
            if words and '"' not in words and "\\" not in words:
                replace[begin] = f'{indent}"""{words}"""'
            elif len(node.body) > 1:
                drop.add(begin)
            else:
                replace[begin] = f'{indent}"""..."""'
    out = [replace.get(i, line.rstrip()) for i, line in enumerate(lines) if i not in drop]
    start = 0
    while start < len(out) and (not out[start].strip() or out[start].startswith("#")):
        start += 1
    text = "\n".join(out[start:]).strip("\n") + "\n"
    return re.sub(r"\n{4,}", "\n\n\n", text)


def judge(job):
    """(reason, text): text only when the reason is 'kept'."""
    package, path, name, banned = job
    raw = pathlib.Path(path).read_bytes()
    if VENDORED.search(name):
        return "vendored, test or table", None
    if not MIN_BYTES <= len(raw) <= MAX_BYTES:
        return "too small or too large", None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8", None
    text = text.replace("\r\n", "\n").expandtabs(8) if "\t" in text or "\r" in text else text
    if GENERATED.search(text[:2000]):
        return "generated", None
    if COPYLEFT.search(text[:4000]):
        return "names a copyleft licence", None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            if holds_task(text, tree, banned):
                return "holds a task's signature", None
            text = trim(text, tree)
            compile(text, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "not Python 3", None
    lines = [line for line in text.split("\n") if line.strip()]
    if len(text) < MIN_BYTES or not lines:
        return "too small or too large", None
    mean = len(text) / len(lines)
    digits = sum(c.isdigit() for c in text) / len(text)
    ascii_share = sum(c.isascii() for c in text) / len(text)
    if not 15 <= mean <= 55 or max(map(len, lines)) > 250 or digits > 0.06 or ascii_share < 0.99:
        return "odd lines, digits or letters", None
    if not re.search(r"^\s*(def|class|async def) ", text, re.M):
        return "defines nothing", None
    return "kept", text


def normalised(text):
    return [h for line in text.split("\n") if len(h := re.sub(r"\s+", "", line)) > 8]


def main(debs, work, out):
    banned = excluded_signatures()
    wanted = [line.split() for line in (HERE / "packages.txt").read_text().splitlines() if line.strip() and not line.startswith("#")]
    files, packages = [], []
    for package, *stated in sorted(wanted):
        deb = next(iter(sorted(debs.glob(package + "_*.deb"))), None)
        if deb is None:
            print("missing:", package, file=sys.stderr)
            continue
        root = work / package
        if not root.is_dir():
            root.mkdir(parents=True)
            tar = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
            subprocess.run(["tar", "-x", "-C", root, "--wildcards", "--no-anchored", "*.py", "copyright"],
                           stdin=tar.stdout, stderr=subprocess.DEVNULL, check=False)
            tar.wait()
        licence = stated[0] if stated else licence_of(package, root)
        version = subprocess.run(["dpkg-deb", "-f", deb, "Version"], capture_output=True, text=True, check=True).stdout.strip()
        entry = {"package": package, "version": version, "licence": licence, "files": 0, "bytes": 0}
        packages.append(entry)
        if not PERMISSIVE.match(licence):
            entry["left_out"] = "licence"
            continue
        for path in sorted(root.rglob("*.py")):
            if path.is_file() and not path.is_symlink():
                files.append((package, str(path), "/" + str(path.relative_to(root)), banned))
    reasons, seen_file, seen_line = collections.Counter(), set(), set()
    by_name = {p["package"]: p for p in packages}
    raw_bytes = sum(pathlib.Path(f[1]).stat().st_size for f in files)
    docs = {"train": [], "valid": []}
    with multiprocessing.Pool(2) as pool:
        for job, (reason, text) in zip(files, pool.imap(judge, files, chunksize=64)):
            if reason == "kept":
                digest = hashlib.sha256(text.encode()).digest()
                keys = [hash(line) for line in normalised(text)]
                known = sum(k in seen_line for k in keys)
                if digest in seen_file:
                    reason = "exact duplicate"
                elif keys and known > 0.7 * len(keys):
                    reason = "near duplicate"
                else:
                    seen_file.add(digest)
                    seen_line.update(keys)
                    part = "valid" if hashlib.sha256((job[0] + job[2]).encode()).digest()[0] < 4 else "train"
                    docs[part].append({"package": job[0], "path": job[2], "text": text})
                    by_name[job[0]]["files"] += 1
                    by_name[job[0]]["bytes"] += len(text.encode())
            reasons[reason] += 1
    out.mkdir(parents=True, exist_ok=True)
    for part, items in docs.items():
        with open(out / f"{part}.jsonl", "w") as f:
            for d in items:
                f.write(json.dumps(d) + "\n")
    summary = {"packages": packages, "files_seen": len(files), "bytes_seen": raw_bytes, "reasons": dict(reasons.most_common()),
               "train_files": len(docs["train"]), "valid_files": len(docs["valid"]),
               "train_bytes": sum(len(d["text"].encode()) for d in docs["train"]),
               "valid_bytes": sum(len(d["text"].encode()) for d in docs["valid"])}
    (out / "data.json").write_text(json.dumps(summary, indent=1))
    print(json.dumps({k: v for k, v in summary.items() if k != "packages"}, indent=1))
    print("left out:", [(p["package"], p["licence"]) for p in packages if "left_out" in p])


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:4]))
