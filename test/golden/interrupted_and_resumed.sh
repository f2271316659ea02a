# Ctrl-C ends within a second with what was done saved; the run goes on from there.
"$scbench" run -m "$nano" -n 400 --batch 4 -o out --json > events 2> err &
pid=$!
for _ in $(seq 200); do grep -q '"sample"' events && break; sleep 0.05; done
start=$(date +%s%N)
kill -INT $pid
wait $pid
echo "exit $?, $((($(date +%s%N) - start) / 1000000 < 1500 ? 1 : 0))"
grep -c 'to go on: scbench run --resume out/' err
jq -r .state out/*/run.json
before=$(wc -l < "$(echo out/*/samples.jsonl)")
[ "$before" -gt 0 ] && [ "$before" -lt 4400 ] && echo some
