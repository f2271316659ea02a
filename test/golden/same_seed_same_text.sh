# Whatever the batch, the threads and the order: the same completions.
for how in "--batch 1 --threads 1" "--batch 11 --threads 2" "--batch 3 --threads 1"; do
  "$scbench" run -m "$nano" -n 2 --max-tokens 20 -q --seed 7 $how -o out > /dev/null || exit
  cat out/*/samples.jsonl | jq -c '[.task_id, .sample, .seed, .completion]' | sort | sha256sum
  rm -r out
done | uniq | wc -l
