# A run refuses to start when a reference solution does not pass; one that passed is remembered.
"$scbench" sandbox check > /dev/null 2>&1 || { echo "no sandbox" >&2; exit 77; }
suite() {
  jq -nc --arg reference "    return a $1 b"$'\n' '{name: "add", prompt: "def add(a, b):\n", entry_point: "add",
    expected_keywords: ["return"], test: "assert add(1, 2) == 3\n", reference: $reference}'
}
suite - > wrong.jsonl
suite + > right.jsonl
"$scbench" run -m "$nano" -t wrong.jsonl --max-tokens 4 --progress none > /dev/null || echo "exit $?"
ls benchmark_results 2> /dev/null || echo "nothing was begun"
for i in 1 2; do "$scbench" run -m "$nano" -t right.jsonl --max-tokens 4 --progress plain 2>&1 > /dev/null | grep reference; done
[ -s "$HOME/.cache/scbench/references.json" ] && echo remembered
