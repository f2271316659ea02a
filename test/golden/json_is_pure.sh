"$scbench" run -m "$nano" --limit 2 --max-tokens 5 --json -o out 2> /dev/null | jq -r .event | grep -v executed # there only where a sandbox holds
