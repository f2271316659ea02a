# Samples in every form that other harnesses write: the same 12 right and 4 wrong answers score the same.
data=${SC_DATA:-}/HumanEval.jsonl.gz
[ -e "$data" ] || { echo "no HumanEval.jsonl.gz" >&2; exit 77; }
"$scbench" sandbox check > /dev/null 2>&1 || { echo "no sandbox" >&2; exit 77; }
# From 16 tasks: every fourth answer is one that does not work.
zcat "$data" | head -n 16 | jq -c '. + {n: (input_line_number - 1)} | . + {answer: (if .n % 4 == 3 then "    return 42\n" else .canonical_solution end)}' > tasks
jq -c '{task_id, completion: .answer}' tasks > human-eval.jsonl
jq -c '{task_id, solution: (.prompt + .answer)}' tasks > evalplus.jsonl
jq -c --slurp '[.[] | [.prompt + .answer, .prompt + "    return 42\n"]]' tasks > bigcode.json
jq -c '{doc_id: .n, doc: {task_id, prompt, canonical_solution, test, entry_point}, target: "check", arguments: {gen_args_0: {arg_0: .prompt}}, resps: [[.answer]], filtered_resps: [[.prompt + .answer]], "pass@1": 0}' tasks > samples_humaneval_2026-01-14T09-12-31.jsonl
jq -c '{doc_id: .n, doc: {task_id}, resps: [[.answer]], filtered_resps: []}' tasks > samples_unfiltered.jsonl
jq --slurp '[.[] | {question_id: .task_id, output_list: ["```python\n" + .prompt + .answer + "```"], code_list: [.prompt + .answer]}]' tasks > livecodebench.json
gzip -k evalplus.jsonl
jq -c '{task_id, completion: ("Sure! Here it is:\n```python\n" + .prompt + .answer + "```\nIt works.")}' tasks > chatty.jsonl
for f in human-eval.jsonl evalplus.jsonl evalplus.jsonl.gz bigcode.json samples_humaneval_*.jsonl samples_unfiltered.jsonl livecodebench.json; do
  "$scbench" score $f -t humaneval --json -o results -q | jq -c --arg f "${f%%_2*}" '[$f, .form, .samples, .tasks, .passed, (.pass_at_k | map_values(. * 10000 | round))]'
done
"$scbench" score chatty.jsonl -t humaneval --extract -o results -q | grep -E 'pass@1|extraction'
# EvalPlus's folder; what is no task's is passed over, unless it holds a program of a task that there is not.
i=0
while read -r task; do
  mkdir -p evalplus/HumanEval_$i
  jq -j '.prompt + .answer' <<< "$task" > evalplus/HumanEval_$i/0.py
  jq -j '.prompt + "    return 42\n"' <<< "$task" > evalplus/HumanEval_$i/10.py
  jq -j '.prompt + .canonical_solution' <<< "$task" > evalplus/HumanEval_$i/2.py
  i=$((i + 1))
done < tasks
mkdir evalplus/.cache evalplus/HumanEval_999 evalplus/logs
echo '{}' > evalplus/eval_results.json
echo 'print(1)' > evalplus/logs/0.py
"$scbench" score evalplus/ -t humaneval --json -o results -q | jq -c '[.form, .samples, .tasks, .passed, .results]'
jq -r .path results/evalplus_results.jsonl | sed -n '1,4p;$p' | paste -sd ' '
cp evalplus/logs/0.py evalplus/HumanEval_999/
"$scbench" score evalplus -t humaneval -o results -q || echo "exit $?"
rm -r evalplus/HumanEval_999
printf '# \xe9\n' > evalplus/HumanEval_3/3.py
"$scbench" score evalplus -t humaneval -o results -q || echo "exit $?"
"$scbench" score results -t humaneval -o results -q || echo "exit $?"
# human-eval's own fields, into the output folder; nothing beside the input.
jq -c '[keys_unsorted - ["scbench"], .passed, .result]' results/human-eval.jsonl_results.jsonl | sort | uniq -c | sed 's/^ *//'
jq -r .task_id results/bigcode.json_results.jsonl | sort | uniq -c | awk '{print $1}' | sort -u
ls -d *_results* 2> /dev/null || echo "nothing beside the input"
# A suite that the samples are not of.
"$scbench" score human-eval.jsonl -t builtin -q || echo "exit $?"
