# a model of a terabyte that is a hole in a file: refused before a weight is read, with what would fit
mkdir huge && cp "$(dirname "$nano")/tokenizer.json" huge/
cat > huge/config.json << 'J'
{"model_type": "llama", "vocab_size": 16777216, "hidden_size": 8192, "intermediate_size": 8192, "num_hidden_layers": 1,
 "num_attention_heads": 64, "max_position_embeddings": 2048, "tie_word_embeddings": true}
J
head='{"model.embed_tokens.weight":{"dtype":"F32","shape":[16777216,8192],"data_offsets":[0,549755813888]}}'
n=$(printf %s "$head" | wc -c)
printf "\\$(printf %o "$n")\\0\\0\\0\\0\\0\\0\\0%s" "$head" > huge/model.safetensors
truncate -s $((8 + n + 549755813888)) huge/model.safetensors || exit 0
"$scbench" models info huge 2>&1 | sed 's/[0-9.]* MiB are free/FREE/' | grep -c 'weights 524288.0'
for command in "models logits huge --ids 1,2 -o out" "generate -m huge x --max-tokens 1" "run -m huge --limit 1"; do
  "$scbench" $command 2>&1 > /dev/null | sed 's/, [0-9.]* GiB are free; .*/, SOME are free; WHAT WOULD/' | grep -o 'needs .*'
done
