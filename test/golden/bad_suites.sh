echo '{"name": "a", "prompt": "x", "expected_keywords": []' > cut.jsonl
printf '{"name": "a", "prompt": "x", "expected_keywords": []}\n{"name": "a", "prompt": "y", "expected_keywords": []}\n' > twice.jsonl
echo '{"name": "a", "promt": "x", "expected_keywords": []}' > key.jsonl
: > empty.jsonl
for t in cut twice key empty missing; do
  "$scbench" run -m "$nano" -t $t.jsonl -o out
  echo "$t $? $(ls -d out 2> /dev/null)"
done
"$scbench" run -m "$nano" --ids 'none*' -o out
echo "$? $(ls -d out 2> /dev/null)"
