# What the file says was cut is not counted as wrong code, and an answer without code is no pass.
"$scbench" sandbox check > /dev/null 2>&1 || { echo "no sandbox" >&2; exit 77; }
cat > suite.jsonl << 'END'
{"name": "t/0", "prompt": "def f(x):\n", "entry_point": "f", "reference": "    return x + 1\n", "test": "def check(candidate):\n    assert candidate(1) == 2\n"}
END
cat > samples.jsonl << 'END'
{"task_id": "t/0", "completion": "    return x + 1\n", "finish_reason": "length"}
{"task_id": "t/0", "completion": "    return (x +", "finish_reason": "length"}
{"task_id": "t/0", "completion": "    return x\n", "stop_reason": "max_tokens"}
{"task_id": "t/0", "completion": "    return x\n", "finish_reason": "stop"}
{"task_id": "t/0", "completion": "<think>What could it be?", "finish_reason": "length"}
END
"$scbench" score samples.jsonl -t suite.jsonl --extract -o results -q --json | jq -c .verdicts
jq -c '[.passed, .scbench.verdict, .scbench.cause]' results/samples.jsonl_results.jsonl
