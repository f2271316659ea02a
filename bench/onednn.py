"""Times oneDNN's matrix products, as PyTorch calls them, on the shapes of SmallCoder-Medium's layers at 512 rows.

usage: onednn.py [THREADS] [ROWS]      (the venv of the PyTorch peer: BUILD/bench/torch/bin/python)

int8 is the dynamic quantised linear layer: inputs rounded to 8 bits with one scale for all of them, weights with one scale a row;
the integer product alone is what `torch._int_mm` does. A figure is the best of many calls, in billions of multiply-adds a second.
Ours beside it: `build/test/check/check --bench --only mul` (one thread).
"""
import sys
import time

import torch

SHAPES = ((1152, 3456), (1152, 1152), (1152, 6656), (3328, 1152))


def best(fn, least=0.4):
    fn()
    took, end = 1e9, time.perf_counter() + least
    while time.perf_counter() < end:
        start = time.perf_counter()
        fn()
        took = min(took, time.perf_counter() - start)
    return took


def dense(rows, cols, out, dtype):
    x, w = torch.randn(rows, cols).to(dtype), torch.randn(out, cols).to(dtype)
    return lambda: torch.nn.functional.linear(x, w)


def dynamic(rows, cols, out):
    torch.backends.quantized.engine = "onednn"
    layer = torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(torch.nn.Linear(cols, out, bias=False)), {torch.nn.Linear}, dtype=torch.qint8)
    x = torch.randn(rows, cols)
    return lambda: layer(x)


def int_mm(rows, cols, out):
    x = torch.randint(-127, 127, (rows, cols), dtype=torch.int8)
    w = torch.randint(-127, 127, (out, cols), dtype=torch.int8).t().contiguous()
    return lambda: torch._int_mm(x, w)


def main():
    threads, rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2, int(sys.argv[2]) if len(sys.argv) > 2 else 512
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    print(f"torch {torch.__version__}, {threads} threads, {rows} rows; G multiply-adds/s")
    kinds = {
        "f32": lambda *s: dense(*s, torch.float32),
        "bf16": lambda *s: dense(*s, torch.bfloat16),
        "int8, rounding included": dynamic,
        "int8, integers alone": int_mm,
    }
    for name, make in kinds.items():
        shown, macs, seconds = [], 0, 0.0
        for cols, out in SHAPES:
            try:
                took = best(make(rows, cols, out))
            except (RuntimeError, NotImplementedError) as e:
                shown.append(str(e).splitlines()[0][:60])
                continue
            macs, seconds = macs + rows * cols * out, seconds + took
            shown.append(f"{rows * cols * out / took * 1e-9:.0f}")
        print(f"{name:24} {', '.join(shown)}; all {macs / seconds * 1e-9:.0f}" if seconds else f"{name:24} {shown[0]}")


if __name__ == "__main__":
    main()
