"""Writes completions of HumanEval as models write them: dozens a task, most of them wrong, from the reference solutions.

usage: make_samples.py HumanEval.jsonl.gz OUT.jsonl [--a-task 24]

Of 24: five right ones (written differently), ten with one or two mutations (operators, constants, bounds, a statement lost,
a branch turned round), three bodies of other tasks, two empty answers, two broken off, one with a name that does not exist,
one that goes on with prints. How many loop for ever is whatever the mutations make of it. The same input gives the same file.
"""
import argparse
import ast
import copy
import gzip
import json
import random


class Mutate(ast.NodeTransformer):
    """Applies mutation number `at` of those that the tree offers; `n` counts them."""

    def __init__(self, at, rng):
        self.at, self.n, self.rng = at, 0, rng

    def hit(self):
        self.n += 1
        return self.n - 1 == self.at

    def visit_Compare(self, node):
        self.generic_visit(node)
        swap = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In}
        for i, op in enumerate(node.ops):
            if type(op) in swap and self.hit():
                node.ops[i] = swap[type(op)]()
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        swap = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Mod: ast.FloorDiv, ast.FloorDiv: ast.Div, ast.Div: ast.FloorDiv}
        if type(node.op) in swap and self.hit():
            node.op = swap[type(node.op)]()
        return node

    def visit_Constant(self, node):
        if isinstance(node.value, int) and not isinstance(node.value, bool) and self.hit():
            return ast.copy_location(ast.Constant(node.value + self.rng.choice((-1, 1))), node)
        if isinstance(node.value, bool) and self.hit():
            return ast.copy_location(ast.Constant(not node.value), node)
        return node

    def visit_If(self, node):
        self.generic_visit(node)
        if self.hit():
            node.test = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
        return node

    def visit_BoolOp(self, node):
        self.generic_visit(node)
        if self.hit():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return node

    def lose(self, body):
        for i in range(len(body)):
            if not isinstance(body[i], (ast.FunctionDef, ast.Import, ast.ImportFrom)) and self.hit():
                return body[:i] + body[i + 1:] or [ast.Pass()]
        return body

    def generic_visit(self, node):
        super().generic_visit(node)
        if isinstance(node, (ast.FunctionDef, ast.For, ast.While, ast.If)):
            node.body = self.lose(node.body)
        return node

    def visit_FunctionDef(self, node):
        return self.generic_visit(node)


def body_of(source, entry):
    """The tree of the program and the function's own node."""
    tree = ast.parse(source)
    return tree, next(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == entry)


def text_of(fn):
    """The statements of a function as they continue its prompt."""
    body = fn.body[1:] if isinstance(fn.body[0], ast.Expr) and isinstance(fn.body[0].value, ast.Constant) and isinstance(fn.body[0].value.value, str) else fn.body
    return "\n".join("    " + line for node in body or [ast.Pass()] for line in ast.unparse(ast.fix_missing_locations(node)).split("\n")) + "\n"


def mutated(task, rng, times):
    tree, fn = body_of(task["prompt"] + task["canonical_solution"], task["entry_point"])
    fn = copy.deepcopy(fn)
    for _ in range(times):
        count = Mutate(-1, rng)
        count.visit(copy.deepcopy(fn))
        if count.n:
            fn = Mutate(rng.randrange(count.n), rng).visit(fn)
    return text_of(fn)


def sample(task, other, j, rng):
    own = task["canonical_solution"]
    k = j % 24
    if k < 5:
        return [own, text_of(body_of(task["prompt"] + own, task["entry_point"])[1]), own.rstrip() + "  # done\n", "    # a first step\n" + own, own + "\n\n"][k]
    if k < 15:
        return mutated(task, rng, 1 + (k >= 11))
    if k < 18:
        return text_of(body_of(other["prompt"] + other["canonical_solution"], other["entry_point"])[1])
    if k < 20:
        return ("    pass\n", "    # not written yet\n    return None\n")[k - 18]
    if k < 22:
        return own[: rng.randrange(len(own) // 2, len(own))]
    if k == 22:
        return "    values = helper_function(1)\n    return values\n"
    return own + "\n\nprint('Running the examples')\nfor i in range(10):\n    print('example', i)\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data")
    p.add_argument("out")
    p.add_argument("--a-task", type=int, default=24)
    a = p.parse_args()
    tasks = [json.loads(line) for line in gzip.open(a.data, "rt")]
    with open(a.out, "w") as f:
        for j in range(a.a_task):  # as a run writes them: every task once, then again
            for i, task in enumerate(tasks):
                rng = random.Random(j * 1000 + i)
                f.write(json.dumps({"task_id": task["task_id"], "completion": sample(task, rng.choice(tasks), j, rng)}) + "\n")


if __name__ == "__main__":
    main()
