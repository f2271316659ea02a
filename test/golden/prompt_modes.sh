# Which mode was chosen and why is said, and recorded; the original's command line keeps the raw prompt.
"$scbench" run -m "$nano" --protocol evalplus --ids fibonacci --max-tokens 5 --no-exec -o out --progress plain > /dev/null 2> said || exit
grep '^prompt' said
jq -c '.protocol | [.name, .prompt_mode, .greedy, .max_tokens]' out/*/run.json
jq -c '.models[0].prompt | [.mode, .why, .forms[0].clean]' out/*/run.json
jq -c '[.protocol, .prompt_mode, (.asked_sha | length), .n_out]' out/*/samples.jsonl
"$scbench" --checkpoint "$nano" --device cpu --output-dir seed > /dev/null 2> said || exit
grep '^prompt' said
jq -c '.protocol | [.name, .prompt_mode, .temperature, .top_k, .top_p, .max_tokens]' seed/*/run.json
jq -c '[.prompt_mode, .extract == null]' seed/*/samples.jsonl | sort -u
# The raw prompt of each task, byte for byte: its SHA-256 is that of the text that was asked.
jq -r 'select(.prompt_sha != .asked_sha) | .task_id' seed/*/samples.jsonl | wc -l
"$scbench" run -m "$nano" --prompt-mode chat -o out2 --progress none || echo "exit $?"
"$scbench" generate -m "$nano" 'def f(' --prompt-mode fim || echo "exit $?"
"$scbench" generate -m "$nano" 'def f(' --suffix ')' || echo "exit $?"
