# mldeck: one Makefile, non-recursive. `make help` lists the targets.

VERSION  := 0.1.0
CC       ?= cc
VARIANT  ?= release
BUILD    := build/$(VARIANT)
PACKAGES := ncursesw libcurl libcjson sqlite3 libmicrohttpd gsl libxxhash libcrypto zlib inih

CFLAGS_release := -O2 -g
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    := -O1 -g -fsanitize=thread

CFLAGS   ?= $(CFLAGS_$(VARIANT))
# -ffp-contract=off: a fused multiply-add would change the last bit of a raw score.
WARNINGS := -std=c11 -Wall -Wextra -Wpedantic -Werror
ALL_CFLAGS  = $(WARNINGS) $(CFLAGS) -ffp-contract=off -D_GNU_SOURCE -DMLDECK_VERSION='"$(VERSION)"' \
              -Isrc -I$(BUILD) -pthread $(shell pkg-config --cflags $(PACKAGES)) -MMD -MP
ALL_LIBS    = $(shell pkg-config --libs $(PACKAGES)) -lm -pthread

SOURCES  := $(wildcard src/core/*.c src/runtime/*.c src/ui/*.c)
OBJECTS   = $(SOURCES:%.c=$(BUILD)/%.o) $(GENERATED:%.c=%.o)
THEMES   := $(wildcard themes/*.ini)
GENERATED = $(if $(THEMES),$(BUILD)/themes.c)
UNITS    := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))

Q := $(if $(V),,@)

.PHONY: all help run test check check-deps clean unit asan tsan bench fuzz fmt
all: $(BUILD)/mldeck

help:
	@sed -n 's/^## //p' Makefile

$(BUILD)/mldeck: $(BUILD)/src/main.o $(BUILD)/libmldeck.a
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(ALL_LIBS)

$(BUILD)/libmldeck.a: $(OBJECTS)
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	@echo "  CC    $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/themes.o: $(BUILD)/themes.c
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/themes.c: $(THEMES) scripts/embed-themes
	@mkdir -p $(@D)
	$(Q)scripts/embed-themes $(THEMES) > $@

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libmldeck.a
	@echo "  TEST  $*"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests -o $@ $< $(BUILD)/libmldeck.a $(shell pkg-config --libs cmocka) $(ALL_LIBS)

## unit          build and run the unit tests of this variant
unit: $(UNITS:%=$(BUILD)/tests/unit/%)
	$(Q)for t in $^; do $$t || exit 1; done

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
