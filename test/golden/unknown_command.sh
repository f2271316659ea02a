"$scbench" geneate
