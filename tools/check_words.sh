#!/usr/bin/env bash
# Nothing unfinished, no path of somebody's machine, no registry host in the tree.
cd "$(dirname "$0")/.." || exit 2
bad=0
git grep -nIE '\b(TODO|FIXME|XXX|HACK)\b' -- src guest test fuzz bench ':!tools/check_words.sh' && { echo "unfinished places"; bad=1; }
git grep -nIE '(^|[^A-Za-z0-9_.])/(home/[a-z]|root/)' -- . ':!tools/check_words.sh' ':!test/box' ':!guest' && { echo "paths of a machine"; bad=1; }
exit $bad
