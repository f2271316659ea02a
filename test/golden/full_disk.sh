"$scbench" help > /dev/full
