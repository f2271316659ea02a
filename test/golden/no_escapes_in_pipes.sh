unset NO_COLOR
"$scbench" run -m "$nano" --limit 2 -o out > stdout 2> err
grep -c "$(printf '\033')" stdout err
