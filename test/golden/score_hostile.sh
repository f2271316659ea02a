# Files of samples as they occur: what can be read is read whole, what cannot is one line that says where.
data=${SC_DATA:-}/HumanEval.jsonl.gz
[ -e "$data" ] || { echo "no HumanEval.jsonl.gz" >&2; exit 77; }
"$scbench" sandbox check > /dev/null 2>&1 || { echo "no sandbox" >&2; exit 77; }
zcat "$data" | head -n 2 | jq -c '{task_id, completion: .canonical_solution}' > right
zcat "$data" | head -n 2 | jq -c '{task_id, completion: "    return 42\n"}' > wrong
score() { # FILE [OPTION...]
  "$scbench" score "$@" -t humaneval --json -o results -q 2>&1 | jq -Rc --arg f "$1" 'fromjson? // . | if type == "object" then [$f, .samples, .passed, .pass_at_k, .left_out] else . end'
}
# Appended to: two streams, zeros behind them.
{ gzip -c right; gzip -c wrong; head -c 512 /dev/zero; } > appended.jsonl.gz
{ gzip -c right; echo more; } > tail.jsonl.gz
gzip -c right | head -c 90 > half.jsonl.gz
{ printf ' \t\r\n\n'; sed 's/$/\r/' right; printf '\n  \n'; head -c -1 wrong; } > blank.jsonl
score appended.jsonl.gz
score tail.jsonl.gz
score half.jsonl.gz
score blank.jsonl
{ cat right; echo '{"task_id": "HumanEval/0", "comple'; } > torn.jsonl
{ cat right; echo '{"task_id": "HumanEval/0", "completion": "", "logprob": NaN}'; } > nan.jsonl
printf '[\n["a"],\n["b"' > torn.json
score torn.jsonl
score nan.jsonl
score torn.json
# Fields of one's own, with names that other forms use too, stay as they are and where they are.
jq -c '{z: 1.0, doc: {a: 1}, task_id, code_list: ["x"], completion, seed: 9007199254740993, a: "\u0000é"}' right > fields.jsonl
score fields.jsonl
jq -c 'del(.result, .passed, .scbench)' results/fields.jsonl_results.jsonl | cmp - fields.jsonl
# lm-eval writes every answer once for each of its filters.
for f in a b; do jq -c --arg f $f '{doc: {task_id}, resps: [[.completion]], filter: $f}' right; done > filters.jsonl
score filters.jsonl
# Tasks with unequal numbers of samples: no interval, and what k has to be left out.
{ cat right right; head -n 1 wrong; } > unequal.jsonl
score unequal.jsonl --pass-k 1,2,3
"$scbench" score unequal.jsonl -t humaneval -o results -q --pass-k 1,2,3,100 | grep pass@
# Nothing runs before the whole command line and the folder are known to be right.
for k in -1 +3 ' 5' 1, 1,,2 0 1e2 99999999999999999999 9223372036854775808; do
  "$scbench" score right -t humaneval -o none -q --pass-k "$k" 2>&1 || echo "exit $?"
done
ls -d none 2>&1
# The results are called as the file, however long that is.
long=$(printf 'x%.0s' $(seq 220))
cp right $long
"$scbench" score $long -t humaneval -o results -q > /dev/null
ls results | grep -c "^${long}_results.jsonl$"
echo file > file
"$scbench" score right -t humaneval -o file/results 2>&1
true
