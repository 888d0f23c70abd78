# One word for each task. The scripts do the work, and say more with --help.
SHELL := /bin/bash

.PHONY: build check unit lint format demo help
build: ## install what is missing and build everything into build/
	@. scripts/lib/packages.sh && . scripts/lib/build.sh && trap build_stop EXIT && \
		packages_need build && build_preset release

check: ## every test (scripts/test)
	@scripts/test

unit: ## the fast tests (scripts/test unit)
	@scripts/test unit

lint: ## what can be checked without running it (scripts/lint)
	@scripts/lint

format: ## format C and Python in place (scripts/lint --fix)
	@scripts/lint --fix

demo: ## the service with sample data, until Ctrl-C (scripts/demo)
	@scripts/demo

help: ## this text
	@sed -n 's/^\([a-z]*\): ## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 14
