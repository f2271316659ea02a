#!/usr/bin/env bash
# No vector registers wider than SSE outside the kernel levels that may use them. usage: check_isa.sh [BUILD_DIR]
cd "$(dirname "$0")/.." || exit 2
build=${1:-build}
bad=0
for lib in "$build"/src/*/libsc_*.a "$build"/src/*/*/libsc_*.a; do
  [ -e "$lib" ] || continue
  case $lib in
  *avx512*) continue ;;
  *avx2*) wide='%zmm' ;;
  *) wide='%[yz]mm' ;;
  esac
  objdump -d --no-show-raw-insn "$lib" 2> /dev/null | grep -m 1 -E "$wide" > /dev/null && { echo "$lib: uses registers of a level that it may not"; bad=1; }
done
exit $bad
