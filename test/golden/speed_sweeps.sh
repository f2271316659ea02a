# Lists and ranges of every option; the figures differ from machine to machine, the rows do not.
"$scbench" speed -m "$nano" -p 8-16*2 -n 2,3 --depth 0-4+4 --batch 1-2 --threads 1 --kv-type f16,f32 -r 2 --warmup 0 --no-limits --format csv 2> /dev/null > rows.csv
cut -d, -f6,8-13 rows.csv | sed 's/"//g' | tail -n +2 | sort | sed -n '1,4p;$p'
wc -l < rows.csv
"$scbench" speed -m "$nano" -p 8 -n 0 -r 2 --warmup 0 --format json 2> /dev/null > a.json
"$scbench" speed --compare a.json a.json | cut -d'|' -f2,3,11
"$scbench" speed --limits --threads 1-2 --format csv 2> /dev/null | cut -d, -f2
"$scbench" speed -m "$nano" -p 8-4; echo $?
"$scbench" speed; echo $?
# Values that cannot be are refused before anything is opened; what one test or one model cannot do is said, the rest goes on.
for o in '-p 0 -n 0' '--batch 0' '--threads 0' '--threads 257' '--kv-type f16,q4_0' '--compute f32,' '-p 1-2000' '--batch 70000'; do
  "$scbench" speed -m missing.gguf $o 2>&1 | grep -v '^warning: [ocCu]'; echo ${PIPESTATUS[0]}
done
"$scbench" speed -m missing.gguf -m "$nano" -p 8,600,8 -p 9 -n 0 --depth 0,508 --threads 1 -r 1 --warmup 0 --no-limits --format csv 2> why > rows.csv; echo $?
grep -v '^warning: \(other work\|CPU freq\|only\)' why | sed 's/: [0-9.]* tok.s/: N tok\/s/'
cut -d, -f10-13 rows.csv
"$scbench" speed -m "$nano" -p 8 -n 2 --batch 2,1 --threads 1 -r 1 --warmup 0 --format json --name 'a,"b
c' 2> why > c.json
"$scbench" speed -m "$nano" -p 8 -n 2 --batch 2,1 --threads 1 -r 1 --warmup 0 --format sql --name "it's" 2> why > c.sql; grep -c 'INSERT INTO scbench_speed (model' c.sql; grep -c 'CREATE TABLE' c.sql
"$scbench" speed -m "$nano" -p 8 -n 2 --threads 1 -r 1 --warmup 0 --no-limits --format csv 2> why > /dev/full; echo $?; tail -n 1 why
: > d.csv
"$scbench" speed -m "$nano" -p 1-500 -n 0 --threads 1 -r 1000 --warmup 0 --no-limits --format csv 2> why >> d.csv & pid=$!
while [ "$(grep -c . d.csv)" -lt 3 ]; do sleep 0.02; done
kill -INT $pid; wait $pid; echo $?; [ "$(grep -c . d.csv)" -ge 3 ] && tail -n 1 why | sed 's/[0-9][0-9]*/N/'
: > d.csv
"$scbench" speed -m "$nano" -p 1-500 -n 0 --threads 1 -r 1000 --warmup 0 --no-limits --format csv 2> why >> d.csv & pid=$!
while [ "$(grep -c . d.csv)" -lt 2 ]; do sleep 0.02; done
kill -BUS $pid; wait $pid; echo $?; tail -n 1 why
mkfifo ./pipe.gguf; "$scbench" speed -m ./pipe.gguf --no-limits 2>&1 | grep pipe; "$scbench" generate -m /dev/null x 2>&1 || echo failed
