"$scbench"
