# Text of a task that would drive a terminal is shown, not obeyed.
printf '{"name": "a", "prompt": "x\\u001b[31m", "expected_keywords": ["\\u001b]0;t\\u0007"], "description": "d\\u001b[2J"}\n' > s.jsonl
"$scbench" tasks show a -t s.jsonl
"$scbench" tasks ls -t s.jsonl
