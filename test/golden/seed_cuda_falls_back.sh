"$scbench" --checkpoint no/such/file.pt
