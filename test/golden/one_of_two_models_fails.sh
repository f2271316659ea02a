"$scbench" run -m no/such.pt -m "$nano" --limit 1 --max-tokens 3 -o out > /dev/null
echo $?
jq -c '.models | map(.error == null)' out/*/run.json
