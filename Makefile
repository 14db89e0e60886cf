# mldeck: one Makefile, non-recursive but for the variants. `make help` lists the targets.
#
# Nothing here asks pkg-config or the compiler before a recipe needs them: `make run` must start on a
# system that has neither.

VERSION  := 0.1.0
VARIANT  ?= release
BUILD    := build/$(VARIANT)
PREFIX   ?= /usr/local
JOBS     ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

PACKAGES := ncursesw libcurl libcjson sqlite3 libmicrohttpd gsl libxxhash libcrypto zlib inih
TEST_PACKAGES := cmocka vterm
PKG_CONFIG ?= pkg-config
# Asked once, when the first recipe needs the answer.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES)))$(PKG_LIBS)
TEST_LIBS  = $(eval TEST_LIBS := $(shell $(PKG_CONFIG) --libs $(TEST_PACKAGES)))$(TEST_LIBS)

SANITIZE       := -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_release := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined $(SANITIZE)
CFLAGS_tsan    := -O1 -g -fsanitize=thread $(SANITIZE)
# Points at which a test ends the process (core/fault.h).
CFLAGS_fault   := $(CFLAGS_release) -DMLDECK_FAULTS
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined $(SANITIZE)

CFLAGS   ?= $(CFLAGS_$(VARIANT))
WERROR   ?= -Werror
# -ffp-contract=off: a fused multiply-add would change the last bit of a raw score.
WARNINGS := -std=c11 -Wall -Wextra -Wpedantic $(WERROR) -ffp-contract=off
ALL_CFLAGS  = $(WARNINGS) $(CFLAGS) -D_GNU_SOURCE -DMLDECK_VERSION='"$(VERSION)"' \
              -Isrc -I$(BUILD) -pthread $(PKG_CFLAGS) -MMD -MP
ALL_LDFLAGS = $(CFLAGS) $(if $(filter Linux,$(shell uname)),-Wl$(comma)--as-needed) $(LDFLAGS) -pthread
comma := ,

SOURCES  := $(wildcard src/*/*.c src/*/*/*.c)
THEMES   := $(wildcard themes/*.ini)
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/themes.o $(BUILD)/openapi_components.o
LIBRARY  := $(BUILD)/libmldeck.a
# tests/lib holds what test programs share; tests/tools the programs that test scripts call.
HELPERS  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/lib/*.c))
UNITS    := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
TOOLS    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/tools/*.c))
BENCHES  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
# Programs of tests/fault, and the shim that drops what was not synced; of the variant fault alone.
FAULTS   := $(patsubst %.c,$(BUILD)/%,$(filter-out %_shim.c,$(wildcard tests/fault/*.c)))
SHIMS    := $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/fault/*_shim.c))
FUZZERS  := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
# Only these files differ with faults; the other objects of the variant fault are those of the release.
ifeq ($(VARIANT),fault)
POINTED  := $(patsubst %.c,$(BUILD)/%.o,$(shell grep -lE 'core/fault\.h|MLDECK_FAULTS' $(SOURCES)))
OBJECTS  := $(foreach object,$(OBJECTS),$(if $(filter $(object),$(POINTED)),$(object),$(object:build/fault/%=build/release/%)))
HELPERS  := $(HELPERS:build/fault/%=build/release/%)
endif
UNIT_PROGRAMS := $(UNITS:%=$(BUILD)/tests/unit/%)
FUZZ_PROGRAMS := $(FUZZERS:%=$(BUILD)/tests/fuzz/%)
FORMATTED     := $(wildcard src/*.[ch] src/*/*.[ch] src/*/*/*.[ch] tests/*/*.[ch])

FUZZ     ?= $(FUZZERS:fuzz_%=%)
SECONDS  ?= 60

Q := $(if $(V),,@)
# A make of another variant or after the set-up, in parallel unless the caller chose a -j of their own.
SUBMAKE = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))

.PHONY: all help run test unit test-statistics tests-build asan tsan fault fault-programs release-objects fuzz \
        fuzz-programs bench pictures fmt fmt-check check check-deps check-style size install uninstall clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:

## all           build the executable: build/release/mldeck, and ./mldeck as a link to it
all: $(BUILD)/mldeck
	$(if $(filter release,$(VARIANT)),@ln -sf $< mldeck)

## run           install what is missing, build, and start the demo
run:
	@scripts/setup
	@$(SUBMAKE) all
	@./mldeck demo

## test          install what the tests need, build, and run every test
test:
	@scripts/setup --tests
	@scripts/judges
	@$(SUBMAKE) VARIANT=release tests-build
	@if scripts/can-sanitize $(CC); then $(SUBMAKE) VARIANT=asan tests-build; fi
	@$(SUBMAKE) fault
	@scripts/prometheus
	@CC='$(CC)' tests/run

## unit          build and run the unit tests of one variant (VARIANT=asan, UNITS=test_text)
unit: $(UNIT_PROGRAMS)
	$(Q)for test in $^; do $$test || exit 1; done

## test-statistics  hold the statistics against reference values (CASES=FILE; those of tests/fixtures unless told)
test-statistics: $(BUILD)/tests/unit/test_statistics
	@$< $(CASES)

# Benchmarks once, that they compile; what they measure is for the release alone.
tests-build: all $(UNIT_PROGRAMS) $(FUZZ_PROGRAMS) $(TOOLS) $(if $(filter release,$(VARIANT)),$(BENCHES))

## asan          build with address and undefined-behaviour checks: build/asan/mldeck
## tsan          build with data-race checks: build/tsan/mldeck
asan tsan:
	@$(SUBMAKE) VARIANT=$@ tests-build

## fault         build what kills the runtime at chosen points, for tests/fault: build/fault
fault:
	@$(SUBMAKE) VARIANT=release release-objects
	@$(SUBMAKE) VARIANT=fault fault-programs
release-objects: $(OBJECTS) $(HELPERS)
fault-programs: $(BUILD)/mldeck $(FAULTS) $(SHIMS)

## fuzz          fuzz with clang's libFuzzer (FUZZ=forest SECONDS=60; all of them unless told)
fuzz:
	@$(SUBMAKE) VARIANT=fuzz CC=clang fuzz-programs
	@SECONDS_EACH=$(SECONDS) tests/fuzz/run $(FUZZ)

fuzz-programs: $(FUZZ_PROGRAMS)

## bench         build the benchmarks and print their table (BENCH=forest for one)
bench:
	@$(SUBMAKE) VARIANT=release all $(BENCHES)
	@MLDECK=$(CURDIR)/build/release/mldeck MLDECK_BUILD=$(CURDIR)/build/release tests/bench/run $(BENCH)

## pictures      draw docs/pictures anew, with a runtime under replayed traffic (a minute)
pictures: all
	@scripts/pictures $(BUILD)/mldeck

## check         check the directions between folders and the style
check: check-deps check-style
check-deps check-style:
	@scripts/$@

## fmt           format every source file; fmt-check only says which ones differ
fmt:
	clang-format -i $(FORMATTED)
fmt-check:
	clang-format --dry-run -Werror $(FORMATTED)

## size          strip a copy of the executable and print its size in bytes
size: $(BUILD)/mldeck-stripped
	@wc -c < $<

# What scripts/setup fetched where the system has no package; a .onnx model is all that needs it.
ONNXRUNTIME := build/onnxruntime/libonnxruntime.so

## install       install under PREFIX (/usr/local), staged in DESTDIR; uninstall removes it
install: $(BUILD)/mldeck-stripped
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $< $(DESTDIR)$(PREFIX)/bin/mldeck
	$(if $(wildcard $(ONNXRUNTIME)),install -D -m 644 $(ONNXRUNTIME) $(DESTDIR)$(PREFIX)/lib/mldeck/libonnxruntime.so)
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/mldeck
	rm -rf $(DESTDIR)$(PREFIX)/lib/mldeck

## clean         remove everything that was built
clean:
	rm -rf build mldeck

help:
	@sed -n 's/^## //p' Makefile

$(BUILD)/mldeck: $(BUILD)/src/main.o $(LIBRARY)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

$(BUILD)/mldeck-stripped: $(BUILD)/mldeck
	@echo "  STRIP $@"
	$(Q)strip -o $@ $<

$(LIBRARY): $(OBJECTS) $(BUILD)/.sources
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $(OBJECTS)

$(BUILD)/%.o: %.c $(BUILD)/.flags
	@echo "  CC    $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/tests/%.o: ALL_CFLAGS += -Itests

$(BUILD)/themes.o $(BUILD)/openapi_components.o: $(BUILD)/%.o: $(BUILD)/%.c $(BUILD)/.flags
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/themes.c: $(THEMES) scripts/embed-themes $(BUILD)/.sources
	$(Q)scripts/embed-themes $(THEMES) > $@

$(BUILD)/openapi_components.c: src/runtime/protocol/openapi_components.json scripts/embed-text $(BUILD)/.sources
	$(Q)scripts/embed-text openapi_components $< > $@

$(UNIT_PROGRAMS) $(TOOLS) $(BENCHES) $(FAULTS): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(HELPERS) $(LIBRARY)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(PKG_LIBS) -lm

$(SHIMS): $(BUILD)/%.so: %.c $(BUILD)/.flags
	@echo "  LD    $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests -fPIC -shared -o $@ $< -ldl

# libFuzzer brings its own main; every other variant replays the corpus and seeded mutations of it.
FUZZ_MAIN := $(if $(filter fuzz,$(VARIANT)),,$(BUILD)/tests/fuzz/standalone.o)
$(FUZZ_PROGRAMS): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(FUZZ_MAIN) $(LIBRARY)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) $(if $(FUZZ_MAIN),,-fsanitize=fuzzer) -o $@ $^ $(PKG_LIBS) -lm

# Rewritten only when its text changes: other flags rebuild every object, another list of files the library.
$(BUILD)/.flags: STAMP = $(CC) $(WARNINGS) $(CFLAGS) $(VERSION)
$(BUILD)/.sources: STAMP = $(SOURCES) $(THEMES)
$(BUILD)/.flags $(BUILD)/.sources: FORCE
	@mkdir -p $(@D)
	@echo '$(STAMP)' | cmp -s - $@ || { scripts/setup --check && echo '$(STAMP)' > $@; }

-include $(wildcard $(BUILD)/*.d $(BUILD)/src/*.d $(BUILD)/src/*/*.d $(BUILD)/src/*/*/*.d $(BUILD)/tests/*/*.d)
