"$scbench" generate -m "$nano" 'def add(a, b):' --greedy --max-tokens 8 -q > one
"$scbench" generate -m "$nano" 'def add(a, b):' --greedy --max-tokens 8 -q > two
cmp one two && [ -s one ] && echo same
"$scbench" generate -m "$nano" 'def add(a, b):' --greedy --max-tokens 8 --json | jq -c '[.n_out, .finish_reason]'
printf 'def f(x):\nclass A:\\n    pass\n' | "$scbench" generate -m "$nano" -i --max-tokens 4 --json | jq -c .prompt
