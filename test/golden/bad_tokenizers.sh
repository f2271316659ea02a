cp "$nano" m.pt
echo '{"model": ' > cut.json
echo '{"model": {"type": "Nonsense"}}' > odd.json
for t in missing.json cut.json odd.json; do
  "$scbench" run -m m.pt --tokenizer $t -o out > stdout 2> err
  echo "$t $? $(wc -l < err) $(wc -c < stdout) $(grep -c "scbench: error: .*$t" err) $(ls -d out 2> /dev/null)"
done
"$scbench" run -m m.pt -o out > stdout 2> err
echo "none beside it: $? $(wc -l < err) $(ls -d out 2> /dev/null)"
