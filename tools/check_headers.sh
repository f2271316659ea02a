#!/usr/bin/env bash
# Every header of src/ compiles alone, has the guard of its path and an SPDX line. usage: check_headers.sh [CC]
cd "$(dirname "$0")/.." || exit 2
cc=${1:-gcc}
bad=0
while read -r h; do
  guard=SC_$(echo "${h#src/}" | tr 'a-z/.' 'A-Z__')
  grep -q "^#ifndef $guard\$" "$h" || { echo "$h: the guard is not $guard"; bad=1; }
  grep -q 'SPDX-License-Identifier: MIT' "$h" || { echo "$h: no SPDX line"; bad=1; }
  case $h in src/kern/avx*) continue ;; esac # these need the flags of their level
  case $h in src/guest/*) continue ;; esac
  echo "#include \"${h#src/}\"" | $cc -std=gnu17 -D_GNU_SOURCE -fsyntax-only -Isrc $(pkg-config --cflags jansson) -x c - || { echo "$h: does not compile alone"; bad=1; }
done < <(git ls-files 'src/*.h')
exit $bad
