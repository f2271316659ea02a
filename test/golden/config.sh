"$scbench" config check
"$scbench" config init
"$scbench" config init
echo "again: $?"
cat scbench.json
echo '{"threads": 1, "run": {"samples": 2}}' > scbench.json
SCBENCH_SEED=4 "$scbench" config print
SCBENCH_SEED=4 "$scbench" config print --origin | grep -E '^(threads|samples|seed|output-dir) '
echo '{"thread": 1}' > scbench.json
"$scbench" tasks ls
echo "a slip: $?"
"$scbench" config check
echo "checked: $?"
"$scbench" version > /dev/null && SCBENCH_CONFIG=none "$scbench" tasks ls > /dev/null
echo "without it: $?"
