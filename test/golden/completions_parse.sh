"$scbench" completion bash | bash -n && echo bash
source <("$scbench" completion bash)
COMP_WORDS=(scbench mod) COMP_CWORD=1; _scbench; echo "${COMPREPLY[*]}"
COMP_WORDS=(scbench run --dev) COMP_CWORD=2; _scbench; echo "${COMPREPLY[*]}"
COMP_WORDS=(scbench run --device c) COMP_CWORD=3; _scbench; echo "${COMPREPLY[*]}"
