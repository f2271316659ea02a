#!/usr/bin/env bash
# The longest files, headers and functions: informs a review, fails nothing. Needs universal-ctags for functions.
cd "$(dirname "$0")/.." || exit 2
echo "longest files"; git ls-files 'src/*.c' | xargs wc -l | sort -rn | sed 1d | head -n 12
echo "longest headers"; git ls-files 'src/*.h' | xargs wc -l | sort -rn | sed 1d | head -n 8
command -v ctags > /dev/null || exit 0
echo "longest functions"
git ls-files 'src/*.c' | xargs ctags --fields=+ne -o - --kinds-C=f 2> /dev/null |
  awk -F'\t' '{ s = e = 0; for (i = 4; i <= NF; i++) { if ($i ~ /^line:/) s = substr($i, 6); if ($i ~ /^end:/) e = substr($i, 5) } print e - s + 1, $1, $2 }' | sort -rn | head -n 15
