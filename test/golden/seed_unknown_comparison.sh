"$scbench" --compare --comparison-models gpt5 --device cpu
