#!/usr/bin/env bash
# The tree checks, cheapest first; silent when all hold. usage: check_tree.sh [BUILD_DIR]
cd "$(dirname "$0")/.." || exit 2
build=${1:-build}
bad=0
for check in check_layers check_headers check_words; do
  tools/$check.sh || { echo "tools/$check.sh failed"; bad=1; }
done
for check in check_symbols check_isa; do
  tools/$check.sh "$build" || { echo "tools/$check.sh failed"; bad=1; }
done
exit $bad
