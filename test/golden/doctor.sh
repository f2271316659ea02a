# Started outside a clone and with the guest program gone: notes that say what is missing, and still exit code 0.
cp "$scbench" alone
./alone doctor | sed -n 's/^\(note \|ok   \) \(model\|sandbox\|tasks\)  *\(.*\)/\1 \2 \3/p'
(cd "$src" && "$scbench" doctor) | grep -E ' (model|sandbox) |^All'
