#!/bin/sh
# Makes models/nano from nothing: Debian packages -> text -> tokenizer -> model -> evaluation.
# Usage: train.sh [SCRATCH]   (about 3 GB there). MINUTES=55 sets the training time.
# Needs apt-get, dpkg-deb, tar, g++ and python3-venv. Resumable: run it again and it goes on where it stopped.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=${1:-nano-train}
minutes=${MINUTES:-55}
mkdir -p "$scratch/debs" "$scratch/src" "$scratch/run"
cd "$scratch"
scratch=$(pwd)

[ -x venv/bin/pip ] || python3 -m venv venv
[ -f venv/ready ] || { venv/bin/pip install -q -r "$here/requirements.txt" && touch venv/ready; }

[ -f debs/ready ] || (cd debs && apt-get -o APT::Sandbox::User=root download $(sed 's/ .*//' "$here/packages.txt") && touch ready)
[ -f data/data.json ] || venv/bin/python "$here/data.py" debs src data
[ -f data/tokens.json ] || venv/bin/python "$here/tokenizer.py" data data

# The step's large arrays come back from the heap instead of fresh pages each time: a fifth of the time otherwise.
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456 MALLOC_ARENA_MAX=1
export OMP_WAIT_POLICY=passive  # beside other work, waiting threads must not spin
[ -f run/done ] || { venv/bin/python "$here/train.py" data run --minutes "$minutes" && touch run/done; }
cp data/tokenizer.json run/nano.pt "$here/"

venv/bin/python "$here/evaluate.py" "$here/nano.pt" "$here/tokenizer.json" "$here/../../suites/builtin.jsonl" run/evaluation.json --seed "${SEED:-20}"
venv/bin/python "$here/report.py" data run card
echo "model: $here/nano.pt, $here/tokenizer.json; tables and curve for the card: $scratch/card"
