for s in run sample seed speed; do "$scbench" version --schema $s | cmp - "$src/schemas/$s.schema.json" && echo $s; done
