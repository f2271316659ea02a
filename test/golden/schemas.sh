for s in run sample seed; do "$scbench" version --schema $s | cmp - "$src/schemas/$s.schema.json" && echo $s; done
