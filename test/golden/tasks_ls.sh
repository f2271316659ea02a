"$scbench" tasks ls
