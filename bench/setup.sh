#!/usr/bin/env bash
# Installs the peers under BUILD/bench, each in a virtual environment of its own, by name from the Python package index
# (the newest versions; run.py records which). Nothing is installed twice. usage: bench/setup.sh [BUILD_DIR]
set -eu
cd "$(dirname "$0")/.."
dir=$(mkdir -p "${1:-build}/bench" && cd "${1:-build}/bench" && pwd)
python=${PYTHON:-python3}

env_of() { # folder, packages...
  local name=$1
  shift
  [ -e "$dir/$name/.done" ] && return
  echo "bench: installs $* into $dir/$name"
  "$python" -m venv "$dir/$name"
  nice -n 19 "$dir/$name/bin/pip" install -q "$@"
  touch "$dir/$name/.done"
}

env_of torch torch numpy transformers safetensors tokenizers gguf
env_of openvino openvino-genai
# Built from source, for this processor: that is the fastest llama.cpp there is here.
CMAKE_ARGS="${CMAKE_ARGS:--DGGML_NATIVE=ON}" env_of llama llama-cpp-python numpy
