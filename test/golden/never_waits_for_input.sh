mkfifo never
sleep 100 > never &
timeout 60 "$scbench" --checkpoint "$nano" --device cpu --output-dir out -q < never > /dev/null
echo $?
"$scbench" --checkpoint "$nano" --device cpu --output-dir out -q <&- > /dev/null
echo $?
kill %1
