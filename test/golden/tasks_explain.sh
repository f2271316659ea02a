"$scbench" tasks explain linked_list --protocol bigcode
"$scbench" tasks explain fibonacci --protocol seed@1 -m "$nano" --json | jq -c '[.protocol, .prompt_mode, .why, .asked, (.ids | length > 0), .max_tokens]'
"$scbench" tasks explain fibonacci --protocol lmeval || echo "exit $?"
"$scbench" tasks explain fibonacci --protocol evalplus --prompt-mode chat -m "$nano" || echo "exit $?"
