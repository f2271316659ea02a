#!/usr/bin/env bash
# Command-line tests as files. NAME.sh runs in an empty folder with $scbench, $nano (the default model) and $src;
# NAME.stdout and NAME.stderr are what it must print, NAME.exit its exit code (0 when there is none). With .glob at the
# end each line is a shell pattern; a line "..." stands for any lines. A stream without a file may say anything.
# A script that exits 77 is skipped; its last line on stderr says why.
# usage: run.sh [--update] BUILD [NAME...]     --update rewrites the files without .glob
set -u
update=
[ "${1:-}" = --update ] && { update=1; shift; }
build=$(cd "${1:?build folder}" && pwd) || exit 2
shift
here=$(cd "$(dirname "$0")" && pwd)
src=$(cd "$here/../.." && pwd)
scbench=$build/scbench
nano=$src/models/nano/nano.pt
export scbench nano src
export LC_ALL=C.UTF-8 NO_COLOR=1
for v in $(env | sed -n 's/^\(SCBENCH_[A-Z_]*\)=.*/\1/p'); do unset "$v"; done
unset HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE XDG_CACHE_HOME
n=0 bad=0
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT

# Whether the lines of $1 fit the patterns of $2.
fits() {
  local -a line pattern
  mapfile -t line < "$1"
  mapfile -t pattern < "$2"
  local i=0 p
  for ((p = 0; p < ${#pattern[@]}; p++)); do
    if [ "${pattern[p]}" = ... ]; then
      [ $((p + 1)) -eq ${#pattern[@]} ] && return 0
      # shellcheck disable=SC2053 # the right side is a pattern
      while ((i < ${#line[@]})) && ! [[ ${line[i]} == ${pattern[p + 1]} ]]; do i=$((i + 1)); done
      continue
    fi
    ((i < ${#line[@]})) || { echo "# nothing left for: ${pattern[p]}"; return 1; }
    # shellcheck disable=SC2053
    [[ ${line[i]} == ${pattern[p]} ]] || { echo "# got:  ${line[i]}"; echo "# want: ${pattern[p]}"; return 1; }
    i=$((i + 1))
  done
  ((i == ${#line[@]})) || { echo "# more:  ${line[i]}"; return 1; }
}

check() { # name, stream, file with what came
  local want=$here/$1.$2
  if [ -n "$update" ] && [ -e "$want" ]; then cp "$3" "$want"; return 0; fi
  if [ -e "$want.glob" ]; then fits "$3" "$want.glob"
  elif [ -e "$want" ]; then diff -u "$want" "$3" | sed 's/^/# /' | tail -n +3; return "${PIPESTATUS[0]}"
  fi
}

for script in "$here"/*.sh; do
  name=$(basename "$script" .sh)
  [ "$name" = run ] && continue
  [ $# -gt 0 ] && case " $* " in *" $name "*) ;; *) continue ;; esac
  n=$((n + 1))
  mkdir "$top/$name"
  export HOME=$top/$name.home
  mkdir "$HOME"
  (cd "$top/$name" && timeout -k 5 120 bash "$script" > "$top/$name.out" 2> "$top/$name.err" < /dev/null)
  rc=$?
  if [ $rc -eq 77 ]; then
    echo "# skip golden: $(tail -n 1 "$top/$name.err")"
    echo "ok $n - $name # SKIP"
    continue
  fi
  want=$(cat "$here/$name.exit" 2> /dev/null || echo 0)
  fine=1
  [ "$rc" = "$want" ] || { echo "# exit $rc, want $want"; fine=0; }
  check "$name" stdout "$top/$name.out" || fine=0
  check "$name" stderr "$top/$name.err" || fine=0
  if [ $fine = 1 ]; then echo "ok $n - $name"; else
    echo "not ok $n - $name"
    tail -n 5 "$top/$name.err" | sed 's/^/# stderr: /'
    bad=1
  fi
done
exit $bad
