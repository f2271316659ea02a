cp "$nano" m.pt
cp "$src/models/nano/tokenizer.json" .
"$scbench" run -m m.pt --limit 1 --max-tokens 2 -o out -q > /dev/null || exit
"$scbench" run --resume out/2* -q > /dev/null || exit
touch m.pt
"$scbench" run --resume out/2* -q > /dev/null
