"$scbench" --comparison-models codegen-350m --device cpu
