#!/usr/bin/env bash
# A folder of src/ includes only itself and folders above it in src/LAYERS. Prints every upward include.
cd "$(dirname "$0")/.." || exit 2
grep -v '^#' src/LAYERS | grep . > /dev/null || { echo "src/LAYERS is empty" >&2; exit 2; }
git ls-files 'src/*.c' 'src/*.h' | xargs awk -v layers="$(grep -v '^#' src/LAYERS | tr '\n' ' ')" '
  BEGIN { n = split(layers, a, " "); for (i = 1; i <= n; i++) rank[a[i]] = i }
  /^[ \t]*#[ \t]*include[ \t]*"/ {
    split(FILENAME, p, "/"); from = p[2]
    match($0, /"[^"]*"/); file = substr($0, RSTART + 1, RLENGTH - 2)
    if (!(from in rank)) { print FILENAME ": folder " from " is not in src/LAYERS"; bad = 1; nextfile }
    if (split(file, q, "/") < 2) next
    if (!(q[1] in rank)) { print FILENAME ":" FNR ": " file ": folder is not in src/LAYERS"; bad = 1 }
    else if (rank[q[1]] > rank[from]) { print FILENAME ":" FNR ": " from " includes " file ", which stands below it"; bad = 1 }
  }
  END { exit bad }'
