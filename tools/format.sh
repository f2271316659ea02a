#!/usr/bin/env bash
# Formats the C sources in place; with --check only says which differ.
cd "$(dirname "$0")/.." || exit 2
if [ "${1:-}" = --check ]; then
  git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror
else
  git ls-files '*.c' '*.h' | xargs clang-format -i
fi
