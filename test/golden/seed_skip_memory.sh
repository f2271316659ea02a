"$scbench" --checkpoint "$nano" --device cpu --skip-memory-test -q --output-dir out > /dev/null && jq -c '.[0] | .memory_stats, (.results | length)' out/benchmark_results_*.json
