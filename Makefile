# SPDX-License-Identifier: BSD-3-Clause
# The front door. The building is Meson's; `make help` lists the rooms.

PREFIX = /usr/local
SECONDS = 60
MESON = meson
# Builds for use (demo, install, bench) are apart from those of the check.
RELEASE = build/release
INSTALL = build/install
BENCH = build/bench

.PHONY: help demo check bench soak install clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 16

demo: ## Run the CSV pipeline over a year of flights, from a clean machine on
	@tools/bootstrap demo
	@tools/build $(RELEASE) -Dbuildtype=release -Dtests=false
	@tools/demo $(RELEASE)

check: ## Run every test and every check; ends with "N passed, N failed"
	@tools/bootstrap check
	@tools/check

bench: ## Measure Plait beside oneTBB, OpenMP, StarPU (ARGS="--help": options)
	@tools/bootstrap bench
	@tools/build $(BENCH) -Dbuildtype=release -Dtests=false -Dbench=true
	@bench/run.py --build $(BENCH) $(ARGS)

soak: ## Run each fuzzer and the stress tests for SECONDS (default 60)
	@tools/bootstrap check
	@tools/soak $(SECONDS)

install: ## Install under PREFIX (default /usr/local), honouring DESTDIR
	@tools/bootstrap build
	@tools/build $(INSTALL) -Dbuildtype=release -Dtests=false \
		--prefix='$(abspath $(PREFIX))' --libdir=lib
	@$(MESON) install -C $(INSTALL) --no-rebuild

clean: ## Remove what was built (.venv, and demo/ with its results, stay)
	rm -rf build
