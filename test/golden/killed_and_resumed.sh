# Killed at any moment, the run goes on and ends with the completions of an undisturbed one.
"$scbench" run -m "$nano" -n 6 --batch 1 --max-tokens 30 -o whole -q > /dev/null || exit
"$scbench" run -m "$nano" -n 6 --batch 1 --max-tokens 30 -o cut --json > events 2> err &
pid=$!
for _ in $(seq 400); do [ "$(grep -c '"event":"sample"' events)" -gt 5 ] && break; sleep 0.01; done
kill -KILL $pid
wait $pid 2> /dev/null
printf '{"half' >> "$(echo cut/*/samples.jsonl)"
"$scbench" run --resume cut/2* -q > /dev/null || exit
for d in whole cut; do jq -c '[.task_id, .sample, .completion]' $d/*/samples.jsonl | sort | sha256sum; done | uniq | wc -l
wc -l < "$(echo cut/*/samples.jsonl)"
