# Everything that a developer does. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build run test coverage fuzz power simulate docs lint format image release install uninstall deb dist reproduce clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the program for debugging
	@deploy/setup build
	swift build --product sidekick

run: ## Serve this checkout's Examples/site on http://localhost:8080 and follow it; Ctrl-C ends it
	@deploy/setup run
	swift build --product sidekick
	@deploy/run-pair

# Tests make and remove some million files: where memory can hold them, a disk would be most of what they wait for.
SPACIOUS = [ "$$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)" -gt 4000000 ] 2>/dev/null
TEST = TMPDIR=$${TMPDIR:-$$($(SPACIOUS) && echo /dev/shm || echo /tmp)} SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH

test: ## Run every test; those of the images only where a Docker engine answers
	@deploy/setup test
	@deploy/build-tests
	# Tests end to end wait for real programs more than the others do.
	$(TEST)=4 Tests/run --skip EndToEndTests
	$(TEST)=6 Tests/run --filter EndToEndTests
	@Tests/Fuzz/run
	@Tests/Documents/run
	@Tests/Pair/run
	@Tests/Containers/run

coverage: ## Print which lines of Sources the tests run, by folder
	@deploy/setup test
	@Tests/Coverage/run

fuzz: ## Feed the readers of what comes from outside with odd bytes for ten minutes
	@Tests/Fuzz/run 600

power: release ## Pull the power of a machine of qemu 50 times, on each of ext4, XFS and btrfs
	@Tests/Power/run

simulate: ## Simulate twenty thousand passes (SIDEKICK_SEED takes others)
	@deploy/setup test
	@deploy/build-tests
	SIDEKICK_SIMULATION=7000 SIDEKICK_SEED=$${SIDEKICK_SEED:-$$RANDOM} swift test --skip-build --filter SimulationTests

docs: build ## Write docs/settings.md anew
	$$(swift build --show-bin-path)/sidekick settings-page > docs/settings.md

lint: ## Check the formatting
	swift format lint --strict --recursive --parallel Sources Tests Package.swift

format: ## Format everything
	swift format --in-place --recursive --parallel Sources Tests Package.swift

image: ## Build both images
	docker compose build

release: ## Build the program for use
	@deploy/setup build
	swift build -c release --product sidekick --static-swift-stdlib

# Whoever installs is often root, and no developer: a program that is there is not built again.
PROGRAM = .build/release/sidekick
install: ## Install the program, its manual, completions and systemd unit (PREFIX, DESTDIR, PROGRAM)
	@[ -x $(PROGRAM) ] || $(MAKE) release
	@deploy/install $(PROGRAM)

uninstall: ## Remove what install installed
	@deploy/install --remove

deb: $(if $(filter file,$(origin PROGRAM)),release) ## Make a Debian package (PROGRAM)
	@deploy/setup deb
	@deploy/deb $(PROGRAM)

dist: ## Make what a release has, by a Docker engine: archives, package, images, SBOM, checksums
	@deploy/release/dist

reproduce: ## Make it twice from nothing and compare every byte: half an hour
	@deploy/release/reproduce

clean: ## Remove what was built
	rm -rf .build
