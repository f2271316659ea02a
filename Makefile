# One command a job. `make help` lists them.
BUILD ?= build
MESON_ARGS ?=

.PHONY: all setup demo test check lint clean bench help install

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) $(MESON_ARGS)

setup:
	@tools/setup.sh

demo: all
	$(BUILD)/scbench --checkpoint models/nano/nano.pt --include-challenges --device cpu
	@echo
	@echo "The reports are in benchmark_results/. Next: $(BUILD)/scbench tour, $(BUILD)/scbench help"

test: all
	@tools/check_tree.sh $(BUILD)
	@test/run $(BUILD)

lint: all
	@tools/lint.sh $(BUILD)

bench: all
	@bench/run.sh $(BUILD) $(BENCH)

install: all
	@meson install -C $(BUILD)

clean:
	rm -rf $(BUILD)

help:
	@echo "make          set up and build $(BUILD)/scbench"
	@echo "make demo     build, then benchmark the model that ships with the project"
	@echo "make test     build, check the tree, run every test"
	@echo "make lint     clang-format, clang-tidy, cppcheck over the sources"
	@echo "make bench    measure against the peers (installs them under $(BUILD)/bench); BENCH='--quick' or BENCH='--only decode --rounds 2'"
	@echo "make install  install the program and its man page (PREFIX through MESON_ARGS=--prefix=...)"
