# The main job: both original files, numbers that agree with run.json, the keys of the original.
"$scbench" --checkpoint "$nano" --include-challenges --device cpu || exit
ls benchmark_results | sed 's/[0-9]/N/g; s/NNNN-NN-NNT.*/RUN/'
jq -e --slurpfile run benchmark_results/*/run.json '
  .[0] | (.results | length == 11) and .model_name == "SmallCoder" and (.summary.total_benchmarks == 11)
  and (.model_config | keys == ["hidden_size", "num_attention_heads", "num_key_value_heads", "num_layers"])
  and (.memory_stats | has("allocated_gb") and has("reserved_gb") and has("peak_gb"))
  and (.summary.avg_tokens_per_second == $run[0].models[0].summary.tokens_per_second)
  and (.summary.avg_keyword_score == $run[0].models[0].summary.keyword.mean_completed)
  and ([.results[].generation_time] | add / length) - .summary.avg_generation_time < 1e-9' benchmark_results/benchmark_results_*.json
head -n 4 benchmark_results/benchmark_comparison_*.md | sed 's/[0-9]/N/g'
grep '^##' benchmark_results/benchmark_comparison_*.md
