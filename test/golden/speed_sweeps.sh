# Lists and ranges of every option; the figures differ from machine to machine, the rows do not.
"$scbench" speed -m "$nano" -p 8-16*2 -n 2,3 --depth 0-4+4 --batch 1-2 --threads 1 --kv-type f16,f32 -r 2 --warmup 0 --no-limits --format csv 2> /dev/null > rows.csv
cut -d, -f6,8-13 rows.csv | sed 's/"//g' | tail -n +2 | sort | sed -n '1,4p;$p'
wc -l < rows.csv
"$scbench" speed -m "$nano" -p 8 -n 0 -r 2 --warmup 0 --format json 2> /dev/null > a.json
"$scbench" speed --compare a.json a.json | cut -d'|' -f2,3,11
"$scbench" speed --limits --threads 1-2 --format csv | cut -d, -f2
"$scbench" speed -m "$nano" -p 8-4; echo $?
"$scbench" speed; echo $?
