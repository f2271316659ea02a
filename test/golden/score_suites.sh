# Suites of one's own: every documented form of tests scores right and wrong answers apart, and a test that cannot do so is refused or counts for nobody.
"$scbench" sandbox check > /dev/null 2>&1 || { echo "no sandbox" >&2; exit 77; }
cat > samples.jsonl << 'END'
{"task_id": "add", "completion": "    return a + b\n"}
{"task_id": "add", "completion": "    return a - b\n"}
END
score() { # TASK: the fields besides name and prompt
  echo "$1" | jq -c '{name: "add", prompt: "def add(a, b):\n"} + .' > suite.jsonl
  "$scbench" score samples.jsonl -t suite.jsonl --json -o results -q > out 2> err
  echo "exit $? $(jq -c '[.passed, (.verdicts | with_entries(select(.value > 0))), .pass_at_k]' out)$(grep -v "^warning: the sandbox is at level" err)"
}
score '{"test": "assert add(1, 2) == 3"}'
score '{"test": "def check(candidate):\n    assert candidate(1, 2) == 3\n", "entry_point": "add"}'
score '{"test": "def check(f):\n    assert f(1, 2) == 3\n\ncheck(add)\n"}'
score '{"test": "for x in range(3):\n    assert add(x, 1) == x + 1\n"}'
# Imports in front, with a line end or without, for the program and for the tests.
score '{"test": "assert add(1, 2) == 3 and math.floor(1.5) == 1", "setup": "import math"}'
score '{"test": "assert add(1, 2) == 3 and math.floor(1.5) == 1", "setup": "import math\n"}'
# Nothing would be tested.
score '{"test": "def check(candidate):\n    assert candidate(1, 2) == 3\n"}'
score '{"test": "def test_add():\n    assert add(1, 2) == 3\n"}'
score '{"test": "import unittest\nclass T(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(add(1, 2), 3)\n"}'
score '{"test": "# later"}'
# Tests that are no Python are not the answer's failure.
score '{"test": "assert ("}'
jq -c .result results/samples.jsonl_results.jsonl
