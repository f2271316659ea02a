exec 2> /dev/null
# a folder of its own, with a tokenizer
mkdir m && cp "$nano" m/nano.pt && cp "$(dirname "$nano")/tokenizer.json" m/
"$scbench" models verify m
echo "exit $?"
(cd m && sha256sum nano.pt tokenizer.json > SHA256SUMS)
"$scbench" models verify m
echo "exit $?"
# one byte of a weight: only the hash knows
printf 'x' | dd of=m/nano.pt bs=1 seek=6000000 conv=notrunc status=none
"$scbench" models verify m --json -q | tr '{' '\n' | sed 's/[0-9a-f]\{64\}/HASH/g' | grep hash
# what is named and gone
rm m/tokenizer.json && "$scbench" models verify m -q | grep 'tokenizer'
# a link of the hub's cache, by its own hash and by another's
mkdir -p hub/blobs hub/snapshots/c && cp "$nano" hub/blobs/x && sum=$(sha256sum < "$nano" | cut -c 1-64)
mv hub/blobs/x "hub/blobs/$sum" && ln -s "../../blobs/$sum" hub/snapshots/c/nano.pt
"$scbench" models verify hub/snapshots/c/nano.pt | grep hash
other=$(echo "$sum" | tr 0-9a-f 1-9a-f0)
mv "hub/blobs/$sum" "hub/blobs/$other" && ln -sf "../../blobs/$other" hub/snapshots/c/nano.pt
"$scbench" models verify hub/snapshots/c/nano.pt 2> /dev/null | grep hash | sed 's/[0-9a-f]\{64\}/HASH/g'
# cut short, and no numbers
head -c 8000000 "$nano" > short.pt
"$scbench" models verify short.pt -q 2> /dev/null
echo "exit $?"
"$scbench" models convert "$nano" f32.gguf --type f32 --no-vocab -q > /dev/null
size=$(stat -c %s f32.gguf)
printf '\377\377\377\377' | dd of=f32.gguf bs=1 seek=$((size - 64)) conv=notrunc status=none
"$scbench" models verify f32.gguf -q 2> /dev/null | grep -v hash
# a tokenizer with more tokens than rows
sed 's/"id": *0,/"id": 9999,/; s/"content": *"<|endoftext|>"/"content": "<|other|>"/' "$(dirname "$nano")/tokenizer.json" > big.json
"$scbench" models verify "$nano" --tokenizer big.json 2> /dev/null | grep tokenizer
