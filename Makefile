# make start | demo | test | bench | chaos | pictures | audit | format. Each does the set-up it needs: npm packages, and Debian's redis-server (and Ceph and Chromium for the tests).

INSTALLED := node_modules/.package-lock.json

.PHONY: start demo test bench soak chaos pictures audit format check setup setup-test

start: setup
	@npm run --silent start

demo: setup
	@npm run --silent demo

test: setup-test check
	@npm run --silent test

bench: setup
	@node_modules/.bin/node test/bench/run.ts

# A steady mixed load for MINUTES (10), and what grows meanwhile.
soak: setup
	@node_modules/.bin/node test/soak/run.ts

# Breaks everything while work goes on, and accounts for all that was accepted: SEEDS (20) seeds, or the one that SEED names.
chaos: setup-test
	@node_modules/.bin/node test/chaos/run.ts

# Takes the README's pictures of the console anew.
pictures: $(INSTALLED)
	@test/support/install-debian.sh redis chromium fonts
	@node_modules/.bin/node test/pictures/take-pictures.ts

audit: $(INSTALLED)
	npm audit --omit=dev

check: $(INSTALLED)
	@npm run --silent check:format
	@npm run --silent check:lint
	@npm run --silent check:types

format: $(INSTALLED)
	@npm run --silent format

setup: $(INSTALLED)
	@test/support/install-debian.sh redis

setup-test: $(INSTALLED)
	@test/support/install-debian.sh redis ceph curl chromium

$(INSTALLED): package.json package-lock.json
	npm ci --no-audit
	@touch $@
