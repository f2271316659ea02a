#!/usr/bin/env bash
# What the object files say: every global starts with sc_; only base/mem.c touches the heap; only cli and web print
# or exit; no function that is easy to use wrongly. usage: check_symbols.sh [BUILD_DIR]
cd "$(dirname "$0")/.." || exit 2
build=${1:-build}
bad=0
for lib in "$build"/src/*/libsc_*.a "$build"/src/*/*/libsc_*.a; do
  [ -e "$lib" ] || continue
  folder=$(basename "$lib" .a); folder=${folder#libsc_}
  nm -A -P "$lib" 2> /dev/null | awk -v folder="$folder" '
    { sub(/^.*\[/, "", $1); sub(/\]:$/, "", $1); object = $1; name = $2; type = $3 }
    type ~ /^[TDBRC]$/ && name !~ /^sc_/ { print folder "/" object ": global " name " does not start with sc_"; bad = 1 }
    type == "U" {
      sub(/@.*/, "", name)
      if (name ~ /^(strcpy|strcat|sprintf|vsprintf|gets|strtok|rand|srand|system|popen|tmpnam|atoi|atol|atof)$/) { print folder "/" object ": uses " name; bad = 1 }
      if (name ~ /^(malloc|calloc|realloc|free|strdup|strndup|aligned_alloc|posix_memalign|asprintf|vasprintf|__asprintf_chk|__vasprintf_chk)$/ && object !~ /mem\.c/) { print folder "/" object ": uses " name ", not base/mem"; bad = 1 }
      if (folder !~ /^(cli|web)$/ && name ~ /^(printf|__printf_chk|__vprintf_chk|puts|putchar|vprintf|perror|stdout|stderr|exit)$/) { print folder "/" object ": uses " name ": only cli and web print or exit"; bad = 1 }
    }
    END { exit bad }' || bad=1
done
exit $bad
