"$scbench" data verify humaneval --data-dir no || echo "exit $?"
"$scbench" data pull humaneva || echo "exit $?"
HF_HUB_OFFLINE=1 "$scbench" data pull mbpp-test --data-dir no || echo "exit $?"
"$scbench" tasks ls -t humaneval --data-dir no || echo "exit $?"
