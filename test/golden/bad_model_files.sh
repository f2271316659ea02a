# Missing, truncated, corrupt: one line each, exit 1, nothing written.
head -c 100000 "$nano" > truncated.pt
head -c 3000 /dev/urandom > noise.pt
: > empty.pt
cp "$src/models/nano/tokenizer.json" .
mkdir none
for m in missing.pt truncated.pt noise.pt empty.pt none; do
  "$scbench" run -m $m -o out > stdout 2> err
  echo "$m $? $(wc -l < err) $(wc -c < stdout) $(grep -c "scbench: error: .*$m" err) $(ls -d out 2> /dev/null)"
done
