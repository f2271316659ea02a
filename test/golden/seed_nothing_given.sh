"$scbench" --include-challenges --device cpu
