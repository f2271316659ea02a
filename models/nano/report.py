"""Tables and the picture for CARD.md, from what was measured: DATA RUN OUT -> OUT/{loss.svg,loss.md,packages.md}"""
import json
import pathlib
import sys


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(map(str, r)) + " |" for r in rows]) + "\n"


def curve(points, held, path):
    """Training and held-out loss (nats a token) over tokens seen."""
    w, h, left, foot, top = 720, 320, 50, 36, 12
    most = max(t for t, _ in points)
    low, high = 1.0, 7.0

    def place(t, v):
        return f"{left + (w - left - 12) * t / most:.1f},{top + (h - top - foot) * (high - min(high, v)) / (high - low):.1f}"

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" font-family="sans-serif" font-size="12">',
           f'<rect width="{w}" height="{h}" fill="#fff"/>']
    for v in range(int(low), int(high) + 1):
        y = place(0, v).split(",")[1]
        out.append(f'<path d="M{left} {y}H{w - 12}" stroke="#ddd"/><text x="{left - 8}" y="{y}" text-anchor="end" dominant-baseline="middle">{v}</text>')
    step = max(1, round(most / 1e6 / 6))
    for m in range(0, int(most / 1e6) + 1, step):
        x = place(m * 1e6, low).split(",")[0]
        out.append(f'<text x="{x}" y="{h - foot + 16}" text-anchor="middle">{m}</text>')
    out.append(f'<text x="{w / 2}" y="{h - 4}" text-anchor="middle">million tokens seen; loss in nats a token: training (grey), held-out (blue)</text>')
    out.append(f'<polyline fill="none" stroke="#999" points="{" ".join(place(*p) for p in points)}"/>')
    out.append(f'<polyline fill="none" stroke="#06c" stroke-width="2" points="{" ".join(place(*p) for p in held)}"/></svg>')
    path.write_text("\n".join(out) + "\n")


def main(data, run, out):
    out.mkdir(parents=True, exist_ok=True)
    packages = json.loads((data / "data.json").read_text())["packages"]
    (out / "packages.md").write_text(table(("package", "version", "licence", "files", "KB"), [
        (p["package"], p["version"], p["licence"], p["files"], p["bytes"] // 1000) for p in packages if p["files"]]))
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    train = [(e["tokens"], e["loss"]) for e in log if "loss" in e]
    held = [e for e in log if "val" in e]
    curve(train, [(e["tokens"], e["val"]) for e in held], out / "loss.svg")
    near = {e["tokens"]: min(train, key=lambda t, e=e: abs(t[0] - e["tokens"]))[1] for e in held}
    (out / "loss.md").write_text(table(("step", "tokens (M)", "training minutes", "training loss", "held-out loss", "bits per byte"), [
        (e["step"], f"{e['tokens'] / 1e6:.2f}", f"{e['seconds'] / 60:.1f}", near[e["tokens"]], e["val"], e["bpb"]) for e in held]))


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:4]))
