# penstock: see `make help`.
#
#	make                build build/penstock
#	make DEV=1          warnings are errors
#	make SAN=address,undefined   or SAN=thread: a build with sanitizers
#	make URING=0        without liburing; PORTABLE=1 (implies it): POSIX only
#	make install        DESTDIR= PREFIX=/usr/local SYSCONFDIR=/etc, and uninstall
#	make deb            a package for Debian 12
#	make V=1            show the commands

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
STATEDIR   ?= /var
RUNDIR     ?= /run
SBINDIR    ?= $(PREFIX)/sbin
MANDIR     ?= $(PREFIX)/share/man
UNITDIR    ?= $(PREFIX)/lib/systemd/system
COMPDIR    ?= $(PREFIX)/share/bash-completion/completions
DESTDIR    ?=
# What is installed.
PROGRAM    ?= build/penstock
CC         ?= cc
OPT        ?= -O2 -g
URING      ?= 1
PORTABLE   ?= 0
DEV        ?= 0
SAN        ?=
V          ?= 0

ifeq ($(PORTABLE),1)
override URING := 0
SYSTEM     := posix
OTHER      := linux
STD        := -std=c11 -D_POSIX_C_SOURCE=200809L
else
SYSTEM     := linux
OTHER      := posix
STD        := -std=c11 -D_GNU_SOURCE
endif

# Builds of different kinds live side by side.
comma      := ,
KIND       := $(SYSTEM)$(if $(filter linux0,$(SYSTEM)$(URING)),-nouring)$(if $(SAN),-san-$(subst $(comma),-,$(SAN)))$(if $(filter 1,$(DEV)),-dev)
BUILD      ?= build/$(KIND)

WARN       := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wwrite-strings -Wundef -Wcast-qual \
	-Wswitch-enum -Wnull-dereference -Wno-missing-field-initializers
ifeq ($(DEV),1)
WARN       += -Werror
endif
ifeq ($(SAN),)
HARDEN     := -D_FORTIFY_SOURCE=3 -fstack-protector-strong
else
HARDEN     := -fsanitize=$(SAN) -fno-omit-frame-pointer
OPT        := -O1 -g
endif
CFLAGS     += $(STD) $(OPT) $(WARN) $(HARDEN) -fPIE -pthread
CPPFLAGS   += -Iinclude
LDFLAGS    += -pie -Wl,-z,relro,-z,now -pthread $(if $(SAN),-fsanitize=$(SAN))
LDLIBS     += -lev -lhttp_parser -lssl -lcrypto -lcrypt -lisal $(if $(filter 1,$(URING)),-luring)

ALL_SRC    := $(filter-out %_$(OTHER).c,$(wildcard src/*/*.c))
ifeq ($(URING),1)
SRC        := $(filter-out %/uring_none.c,$(ALL_SRC))
else
SRC        := $(filter-out %/uring.c,$(ALL_SRC))
endif
OBJ        := $(SRC:src/%.c=$(BUILD)/%.o)
MAIN_OBJ   := $(BUILD)/main.o
HEADERS    := $(filter-out %.tbl.h,$(wildcard include/*/*.h))
UNIT       := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
# What unit tests share.
UNIT_OBJ   := $(patsubst tests/%.c,$(BUILD)/%.o,$(wildcard tests/unit/lib/*.c))
TOOLS      := $(patsubst tests/lib/%.c,$(BUILD)/%,$(filter-out %/skew.c,$(wildcard tests/lib/*.c))) $(BUILD)/skew.so

Q          := $(if $(filter 1,$(V)),,@)
SAY         = $(if $(filter 1,$(V)),,@printf '  %-6s %s\n' $(1) $(2))

.PHONY: all help install install-files uninstall deb unit tools check hdr-check layers format format-check \
	tidy cppcheck shellcheck todo portable-check mutants fuzz torture clean
all: build/penstock

# The newest build that was asked for is the one scripts and people start.
build/penstock: $(BUILD)/penstock
	$(Q)ln -sfn $(patsubst build/%,%,$<) $@

$(BUILD)/penstock: $(MAIN_OBJ) $(OBJ)
	$(call SAY,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/%.o: src/%.c $(BUILD)/.flags
	$(call SAY,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(FLAGS_$(@F)) -MMD -MP -c -o $@ $<

# What -V says of this build.
FLAGS_about.o = -DABOUT_ENGINES='"$(if $(filter 1,$(URING)),io_uring$(comma) )threads"' \
	-DABOUT_URING='"$(if $(filter 1,$(URING)),$(or $(shell pkg-config --modversion liburing 2>/dev/null),not known))"' \
	-DABOUT_BUILD='"$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)"'

# What is read without -c, if it exists.
FLAGS_options.o = -DOPTIONS_CONF='"$(SYSCONFDIR)/penstock/penstock.conf"'

# Objects are made anew when the flags change.
$(BUILD)/.flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LDLIBS) $(SYSCONFDIR)' | cmp -s - $@ || \
		echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LDLIBS) $(SYSCONFDIR)' > $@
.PHONY: FORCE
FORCE:

# unit: build the unit tests; scripts/test runs them.  They may use what a PORTABLE
# server may not.
UNIT_FLAGS  = -D_GNU_SOURCE -DIS_PORTABLE=$(filter 0 1,$(PORTABLE))
unit: $(UNIT)
$(BUILD)/unit/%: tests/unit/%.c $(UNIT_OBJ) $(OBJ) $(BUILD)/.flags
	$(call SAY,UNIT,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Isrc -Itests/unit $(CFLAGS) $(UNIT_FLAGS) $(LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(UNIT_OBJ) $(OBJ) $(LDLIBS) -lcmocka
$(UNIT_OBJ): $(BUILD)/%.o: tests/%.c $(BUILD)/.flags
	$(call SAY,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS) $(UNIT_FLAGS) -MMD -MP -c -o $@ $<

# tools: what the integration tests and the benchmark drive the server with.
tools: $(TOOLS)
$(BUILD)/slowfs $(BUILD)/logdisk: LDLIBS += -lfuse3
$(BUILD)/slowfs $(BUILD)/logdisk: CFLAGS += -I/usr/include/fuse3 -Wno-pedantic
$(BUILD)/load: tests/lib/load_tls.h
$(BUILD)/skew.so: tests/lib/skew.c $(BUILD)/.flags
	$(call SAY,TOOL,$@)
	$(Q)$(CC) -D_GNU_SOURCE -O2 $(WARN) -fPIC -shared -o $@ $<
$(BUILD)/%: tests/lib/%.c $(BUILD)/.flags
	$(call SAY,TOOL,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LDLIBS)

-include $(OBJ:.o=.d) $(MAIN_OBJ:.o=.d) $(UNIT_OBJ:.o=.d) $(UNIT:=.d)

# Files of conf/ name the paths of a plain `make install`.
TO_PATHS    = sed -e 's|/usr/local/sbin|$(SBINDIR)|g' -e 's|/etc/penstock|$(SYSCONFDIR)/penstock|g' \
	-e 's|/etc/logrotate|$(SYSCONFDIR)/logrotate|g' -e 's|/var/\(l[a-z]*\)/penstock|$(STATEDIR)/\1/penstock|g' \
	-e 's|/run/penstock|$(RUNDIR)/penstock|g'
# The configuration that people try out has relative paths.
TO_CONF     = sed -e '1s|.*|\# penstock: `penstock -T` explains each line, penstock.conf(5) all of them.|' \
	-e 's|^\(pid_file *\)[^ ]*|\1/run/penstock/penstock.pid;|' \
	-e '/^\#admin {/,/^\#}/s|^\#||' -e 's|^\( *health *\)[^ ]*|\1/healthz;|' \
	-e 's|^\(shutdown_timeout *\).*|\114m;        \# the unit waits for 15|' \
	-e 's|^\( *output_dir *\)[^ ]*|\1/var/lib/penstock/uploads;|' \
	-e 's|^\( *access_log *\)[^ ]*|\1/var/log/penstock/access.log;|' conf/penstock.conf
INSTALLED   = $(SBINDIR)/penstock $(MANDIR)/man8/penstock.8 $(MANDIR)/man5/penstock.conf.5 \
	$(UNITDIR)/penstock.service $(UNITDIR)/penstock.socket $(COMPDIR)/penstock

install: all install-files

# Without building anything: $(PROGRAM) is there.
install-files:
	$(Q)install -d $(sort $(addprefix "$(DESTDIR)",$(dir $(INSTALLED)))) \
		"$(DESTDIR)$(SYSCONFDIR)/penstock" "$(DESTDIR)$(SYSCONFDIR)/logrotate.d"
	$(Q)install -m 755 $(PROGRAM) "$(DESTDIR)$(SBINDIR)/penstock"
	$(Q)for f in service socket; do \
		$(TO_PATHS) conf/penstock.$$f > "$(DESTDIR)$(UNITDIR)/penstock.$$f" || exit; done
	$(Q)$(TO_PATHS) conf/penstock.8 > "$(DESTDIR)$(MANDIR)/man8/penstock.8"
	$(Q){ sed '/^@DIRECTIVES@$$/,$$d' conf/penstock.conf.5 && $(PROGRAM) -R && \
		sed '1,/^@DIRECTIVES@$$/d' conf/penstock.conf.5; } | \
		$(TO_PATHS) > "$(DESTDIR)$(MANDIR)/man5/penstock.conf.5"
	$(Q)install -m 644 conf/penstock.bash-completion "$(DESTDIR)$(COMPDIR)/penstock"
	$(Q)for f in penstock/penstock.conf logrotate.d/penstock; do \
		to="$(DESTDIR)$(SYSCONFDIR)/$$f"; \
		if [ -e "$$to" ]; then echo "kept $$to as it is"; continue; fi; \
		case $$f in *.conf) $(TO_CONF);; *) cat conf/penstock.logrotate;; esac | \
			$(TO_PATHS) > "$$to" || exit; done

# What people have changed, and what was uploaded, stays.
uninstall:
	$(Q)rm -f $(addprefix "$(DESTDIR)",$(INSTALLED))
	@echo "kept $(DESTDIR)$(SYSCONFDIR)/penstock, $(DESTDIR)$(SYSCONFDIR)/logrotate.d/penstock, and all uploads and logs"

# deb: a package for Debian 12, build/penstock_VERSION_ARCH.deb.
deb: all
	$(Q)scripts/deb $(PROGRAM)

# check: build it all and run the tests (scripts/test; LONG=1: all of them).
check:
	$(Q)scripts/test $(if $(filter 1,$(LONG)),--long)

# hdr-check: every header compiles alone.
hdr-check:
	$(Q)for h in $(HEADERS); do \
		echo "#include \"$${h#include/}\"" | $(CC) $(CPPFLAGS) $(STD) $(WARN) \
			-Werror -Wno-pedantic -fsyntax-only -x c - || { echo "$$h: does not compile alone"; exit 1; }; \
	done; echo "hdr-check: $(words $(HEADERS)) headers compile alone"

# layers: includes point down only, and no two files of a folder need each other
# (src/LAYERS).
layers: $(OBJ)
	$(Q)scripts/layers $(OBJ)

format:
	$(Q)clang-format-14 -i $$(git ls-files -co --exclude-standard "*.c" "*.h" | grep -v tbl.h)
format-check:
	$(Q)clang-format-14 --dry-run --Werror $$(git ls-files -co --exclude-standard "*.c" "*.h" | grep -v tbl.h) && echo "format-check: clean"

tidy:
	$(Q)clang-tidy-14 --quiet --warnings-as-errors='*' $(SRC) src/main.c -- $(CPPFLAGS) $(STD)

cppcheck:
	$(Q)cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --suppressions-list=.cppcheck \
		--enable=warning,performance,portability -Iinclude $(SRC) src/main.c

shellcheck:
	$(Q)shellcheck -S warning $$(git ls-files .ci scripts | grep -v -e '[.]d/' -e '[.]md$$') tests/lib/*.bash tests/lib/clients/install tests/lib/bare-debian conf/debian/p* && echo "shellcheck: clean"

# portable-check: nothing beyond POSIX is linked by PORTABLE=1.
portable-check:
	$(Q)scripts/portable-check

# fuzz: hostile bytes for the parsers, SECONDS of CPU time for each target.
fuzz:
	$(Q)scripts/fuzz $(if $(SECONDS),-s $(SECONDS))

# torture: kills, power cuts and failing disks for MINUTES (30); as root.
torture: all tools
	$(Q)tests/crash/run $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

# mutants: do the tests notice what is taken out of the server?
mutants:
	$(Q)scripts/mutants

todo:
	$(Q)git grep -nE '\b(TODO|FIXME|XXX)\b' -- src include scripts conf tests || echo "none"

clean:
	$(Q)rm -rf build

help:
	@echo "make               build/penstock      DEV=1: warnings are errors   V=1: show commands"
	@echo "make SAN=address,undefined            a build with sanitizers (SAN=thread too)"
	@echo "make URING=0       leave out liburing   PORTABLE=1: POSIX only (implies it)"
	@echo "make fuzz          hostile bytes for the parsers, SECONDS=900 of CPU time for each (tests/fuzz/README.md)"
	@echo "make torture       kills, power cuts, failing disks; MINUTES=30 SEED=n (tests/crash/README.md)"
	@echo "make mutants       do the tests notice what is taken out of the server? (scripts/mutants)"
	@echo "make check         run the tests (scripts/test): some 10 minutes; LONG=1: all"
	@echo "make install       DESTDIR= PREFIX=/usr/local SYSCONFDIR=/etc; what is in SYSCONFDIR is left alone"
	@echo "make uninstall     the same, back; configuration and uploads stay"
	@echo "make deb           a package for Debian 12, in build/ (scripts/deb)"
	@echo "make unit tools    the unit tests; the tests' helper programs"
	@echo "make hdr-check layers format format-check tidy cppcheck shellcheck portable-check todo"
	@echo "scripts/run        build and start with conf/penstock.conf; scripts/test: all the tests"
	@echo "scripts/bench      side by side with nginx; make clean: remove build/"
