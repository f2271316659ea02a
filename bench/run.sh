#!/usr/bin/env bash
# make bench: installs the peers, makes the random model in every form, measures, prints the table with the machine's limits.
# usage: bench/run.sh [BUILD_DIR] [OPTIONS OF run.py]     The first run needs about 16 GB of disk and some minutes to install;
# three rounds of everything take about an hour, --quick some ten minutes.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
shift || true
bench/setup.sh "$build"
models=$build/bench/models
[ -e "$models/prompts.json" ] || "$build/bench/torch/bin/python" bench/make_medium.py "$models"
"$build/bench/llama/bin/python" bench/quantise.py "$models/medium-f32.gguf" "$models/medium" q8_0 q4_0 q4_k_m bf16 f16
[ -e "$models/starcoder-1b-q8_0.gguf" ] || "$build/bench/torch/bin/python" bench/make_starcoder.py "$models"
python3 bench/run.py "$build" "$@"
