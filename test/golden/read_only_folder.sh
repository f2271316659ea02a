"$scbench" run -m "$nano" --limit 1 --max-tokens 3 -o /proc/none > stdout
