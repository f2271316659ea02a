# A comparison model that cannot be had is skipped, the report is written, the exit code is 0.
"$scbench" --checkpoint "$nano" --compare --comparison-models codegen-350m --device cpu --output-dir out > /dev/null || exit
jq -c 'map(.model_name)' out/benchmark_results_*.json
jq -c '.models | map([.label, .error == null])' out/*/run.json
