# `make blog` and `make test` install what they need and do the rest; `make` alone lists every target.
PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 4000

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help

BIN    := $(VENV)/bin
NODE   := $(BIN)/node
PIP    := $(BIN)/python -m pip --disable-pip-version-check
JEKYLL := bundle exec jekyll
CONFIG := --config _config.yml,_settings.yml --destination _site
OLDEST  = $(call setting,min_python)
# What settings.ini says; requirements go to the shell in quotes, each.
setting = $(shell sed -n 's/^$(1) = //p' settings.ini)
wanted  = $(foreach requirement,setuptools $(foreach key,$(1),$(call setting,$(key))),'$(requirement)')
# Installs files whose hashes stand in a file, and no others: nothing is built, so that nothing is fetched to build it with.
PINNED := $(PIP) install -qq --require-hashes --only-binary :all: -r
# Writes such a file for the requirements that it reads, the newest versions that fit together on every Python from the oldest on.
PIN     = $(BIN)/uv pip compile - --universal --python-version $(OLDEST) --no-python-downloads --only-binary :all: \
          --generate-hashes --quiet --no-header --no-annotate --no-emit-index-url --no-emit-find-links
# Packages that torch asks for, unless it is built for the CPU alone.
CUDA   := cuda-|nvidia-|triton
# What Debian and Ubuntu call the things needed besides git, make and Python itself.
DEBIAN := python3-venv ruby bundler jekyll ruby-jekyll-feed ruby-jekyll-redirect-from ruby-jekyll-seo-tag \
          ruby-jekyll-sitemap ruby-kramdown-parser-gfm ruby-webrick
DEBIAN_TESTS := chromium default-jre-headless

export BUNDLE_SILENCE_ROOT_WARNING := 1

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' Makefile

# A notebook that can't be converted fails `site` at its end, when the rest is built; it does not keep the rest from being read.
blog: ## build the blog and serve it on this machine until Ctrl-C
	@$(MAKE) --no-print-directory site || { [ -f _site/index.html ] && echo "Serving what could be built" >&2; }
	@echo "The blog is at http://localhost:$(PORT)$$(sed -n 's/^baseurl: "\(.*\)"/\1/p' _settings.yml)/ until Ctrl-C"
	@$(JEKYLL) serve --quiet --skip-initial-build --no-watch --port $(PORT) $(CONFIG)

# `make install` leaves nothing to fetch: this works without a network after it.
test: install site ## check the code's style, run every notebook on drawn tiles, build the site, run pytest
	$(BIN)/ruff check
	RECAPTCHA_RUN=toy OMP_NUM_THREADS=1 $(BIN)/nbdev_test --path _notebooks --n_workers 2 --do_print --timing
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

site: system $(VENV)/.site node_modules/.done Gemfile.lock ## build the blog into _site, with its search index
	@status=0; $(BIN)/python -m _fastpages || status=$$?; [ $$status -lt 2 ]; \
	$(JEKYLL) build --quiet $(CONFIG); \
	$(NODE) node_modules/.bin/pagefind --site _site --quiet; \
	$(BIN)/python -m _fastpages.feed _site; \
	$(BIN)/python -m _fastpages.search_words _site; \
	$(BIN)/python -m _fastpages.offline _site; \
	exit $$status

install: browser $(VENV)/.browser node_modules/.done Gemfile.lock ## install all that developing and testing need, most of it into .venv

system: ## check for Python, Ruby and Bundler; as root on Debian or Ubuntu, install what is missing
	@if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	  missing=""; \
	  for package in $(DEBIAN); do \
	    dpkg-query -W -f '$${Status}' $$package 2> /dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	  done; \
	  if [ -n "$$missing" ]; then \
	    echo "Installing with apt-get:$$missing"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $$missing > /dev/null; \
	  fi; \
	fi
	@missing=""; \
	for program in ruby bundle; do command -v $$program > /dev/null || missing="$$missing, $$program"; done; \
	$(PYTHON) -c 'import ensurepip, sys, venv; assert sys.version_info >= tuple(map(int, "$(OLDEST)".split(".")))' 2> /dev/null \
	  || missing="$$missing, Python $(OLDEST) or later with venv"; \
	if [ -n "$$missing" ]; then \
	  echo "Missing: $${missing#, }. README.md, \"What your system needs\", says how to get it." >&2; exit 1; \
	fi

browser: ## check for Java, which the tests of the blog need; as root on Debian or Ubuntu, install it and Chromium
	@$(MAKE) --no-print-directory system DEBIAN="$(DEBIAN) $(DEBIAN_TESTS)"
	@command -v java > /dev/null || { echo "Missing: Java. README.md, \"What your system needs\", says how to get it." >&2; exit 1; }

notebooks: install ## after a change to a notebook: write its setup cell and the modules, clean the notebooks
	$(BIN)/python -m _fastpages.setup_cell
	$(BIN)/nbdev_export
	$(BIN)/nbdev_clean

newest: system ## install the module alone with the newest of everything, and run the notebooks on it
	PYTHON="$(PYTHON)" tests/newest.sh

constraints: install ## pin the newest versions that fit together, for every Python from the oldest on
	printf '%s\n' $(call wanted,requirements train_requirements site_requirements dev_requirements) | $(PIN) > constraints.tmp
	printf '%s\n' $(call wanted,site_requirements) | $(PIN) --constraints constraints.tmp > constraints-site.tmp
	for file in constraints constraints-site; do \
	  { echo '# Written by `make constraints`: every package that can get in, its version, and the hashes of its files.'; cat $$file.tmp; } > $$file.txt; \
	  rm $$file.tmp; \
	done

clean: ## remove everything that can be made again, installed packages too
	rm -rf _site _settings.yml .jekyll-cache .ruff_cache .bundle vendor Gemfile.lock build *.egg-info node_modules $(VENV)

# Two steps, so that reading the blog does not wait for torch, which takes a few GB.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.site: constraints-site.txt | $(BIN)/python
	@echo "Installing what turns notebooks into posts"
	$(PINNED) constraints-site.txt
	@touch $@

# KaTeX, Pagefind and ONNX Runtime for the site, axe-core and the HTML validator for its tests.
node_modules/.done: package.json package-lock.json | $(VENV)/.site
	PATH="$(abspath $(BIN)):$$PATH" npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

# A torch for the CPU that is there already is kept, and what CUDA brings is left out.
$(VENV)/constraints.txt: constraints.txt $(VENV)/.site
	@if compgen -G '$(VENV)/lib/python*/site-packages/torch-*+cpu.dist-info' > /dev/null; \
	then sed -E '/^($(CUDA))/,/[^\]$$/d' constraints.txt; else cat constraints.txt; fi > $@

# setuptools, which installs the module, came with the step before.
$(VENV)/.dev: $(VENV)/constraints.txt settings.ini setup.py pyproject.toml
	@echo "Installing the module and its tools: some minutes and a few GB the first time"
	$(PINNED) $(VENV)/constraints.txt
	$(PIP) install -qq --no-deps --no-build-isolation -e .
	@touch $@

# The system's Chromium, which Debian has, or else Playwright's.
$(VENV)/.browser: $(VENV)/.dev
	command -v chromium > /dev/null || $(BIN)/playwright install chromium
	@touch $@

# From the system's gems where they fit (Debian's do), otherwise from the network into this folder.
Gemfile.lock: Gemfile
	@bundle check > /dev/null 2>&1 || bundle install --local > /dev/null 2>&1 \
	  || { bundle config set --local path vendor/bundle && bundle install; }
	@touch $@

.PHONY: help blog test site install system browser notebooks newest constraints clean
