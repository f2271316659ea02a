"$scbench" run --modle x
