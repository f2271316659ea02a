command -v man > /dev/null || { echo "no man" >&2; exit 77; }
"$scbench" man > scbench.1
man --warnings -E UTF-8 -l -Tutf8 -Z scbench.1 2>&1 > /dev/null | head -n 3
[ "$(grep -c '^\.SS' scbench.1)" -ge 10 ] && echo commands
