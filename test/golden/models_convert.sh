for kind in f32 f16 bf16 q8_0 q4_0 q4_1 q5_0 q5_1 q2_k q3_k q4_k q5_k q6_k; do
  "$scbench" models convert "$nano" nano-$kind.gguf --type $kind -q > /dev/null 2> warnings && echo $kind
done
for kind in f32 f16 q8_0; do
  "$scbench" generate -m nano-$kind.gguf 'def add(a, b):' --greedy --max-tokens 8 -q > $kind
  "$scbench" generate -m "$nano" 'def add(a, b):' --greedy --max-tokens 8 -q > whole
  cmp whole $kind && [ -s $kind ] && echo same
done
grep -c 'no name for the way this tokenizer cuts text' warnings
# the vocabulary travels: the same ids, from the file alone
printf 'def f(x):\n    if x:\n\n        return "a b"\n' > text
"$scbench" tok encode --tokenizer nano-q4_k.gguf < text > one
"$scbench" tok encode --tokenizer "$(dirname "$nano")/tokenizer.json" < text > two
cmp one two && [ -s one ] && echo same ids
# from GGUF to GGUF
"$scbench" models convert nano-f32.gguf again.gguf --type q8_0 -q > /dev/null 2>&1 && cmp again.gguf nano-q8_0.gguf && echo same file
"$scbench" models convert "$nano" bad.gguf --type q9 2> /dev/null
echo $?
"$scbench" models convert "$nano" nano-f16.gguf --type q8_0 2> /dev/null
echo $?
"$scbench" models convert "$nano" nano-f16.gguf --type q8_0 --force --json -q 2> /dev/null | tr ',' '\n' | grep -c '"architecture":"llama"'
ls | grep -c 'tmp-\|bad.gguf' || :
