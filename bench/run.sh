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
make() { # what it makes, environment, script, arguments...
  local what=$1 env=$2
  shift 2
  if [ ! -e "$build/bench/$env/.done" ]; then
    echo "bench: $what cannot be made without $build/bench/$env, which is not installed" >&2
  elif ! "$build/bench/$env/bin/python" "$@"; then
    echo "bench: $what could not be made; rows that need it will say failed" >&2
  fi
}
[ -e "$models/prompts.json" ] || make "the random model" torch bench/make_medium.py "$models"
make "its other types" llama bench/quantise.py "$models/medium-f32.gguf" "$models/medium" q8_0 q4_0 q4_k_m bf16 f16
[ -e "$models/starcoder-1b-q8_0.gguf" ] || make "the 1.1 B model" torch bench/make_starcoder.py "$models"
python3 bench/run.py "$build" "$@"
