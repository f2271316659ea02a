# A model of zeros: every logit is 0, and greedy takes token 0 each time.
exec 2> /dev/null
mkdir m && cd m || exit 1
at=0
head='{'
add() { # name, values, shape
    head="$head\"$1\":{\"dtype\":\"F32\",\"shape\":[$3],\"data_offsets\":[$at,$((at + 4 * $2))]},"
    at=$((at + 4 * $2))
}
add model.embed_tokens.weight 64 8,8
add model.norm.weight 8 8
add model.layers.0.input_layernorm.weight 8 8
add model.layers.0.post_attention_layernorm.weight 8 8
for name in self_attn.q self_attn.k self_attn.v self_attn.o mlp.gate mlp.up mlp.down; do
    add "model.layers.0.${name}_proj.weight" 64 8,8
done
head="${head%,}}"
n=${#head}
{
    printf "\\$(printf %o $((n % 256)))\\$(printf %o $((n / 256)))\\0\\0\\0\\0\\0\\0%s" "$head"
    head -c "$at" /dev/zero
} > model.safetensors
echo '{"model_type":"llama","hidden_size":8,"intermediate_size":8,"num_hidden_layers":1,"num_attention_heads":2,"vocab_size":8,
"max_position_embeddings":64,"tie_word_embeddings":true,"eos_token_id":7}' > config.json
echo '{"pre_tokenizer":{"type":"Whitespace"},"model":{"type":"WordLevel","unk_token":"b","vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"f":5,"g":6,"h":7}}}' > tokenizer.json
cd ..
ask() {
    "$scbench" generate -m m 'c d' --greedy --max-tokens 5 --json | jq -c '[.n_out, .finish_reason]'
}
ask
echo '{"eos_token_id": 5}' > m/generation_config.json
ask
echo '{"eos_token_id": [5, 0]}' > m/generation_config.json
ask
echo '{"eos_token_id": 0}' > m/generation_config.json
ask
