#!/usr/bin/env bash
# clang-format, clang-tidy and cppcheck over the sources. usage: lint.sh [BUILD_DIR]
cd "$(dirname "$0")/.." || exit 2
build=${1:-build}
tools/setup.sh --lint || exit 2
bad=0
tools/format.sh --check || bad=1
git ls-files 'src/*.c' | xargs -P "$(nproc)" -n 8 clang-tidy --quiet -p "$build" 2> /dev/null | grep -E 'warning|error' && bad=1
cppcheck --quiet --enable=warning,performance,portability --std=c11 --error-exitcode=1 --suppress=missingIncludeSystem \
  --inline-suppr -I src $(git ls-files 'src/*.c') || bad=1
exit $bad
