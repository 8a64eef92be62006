# postern - GNU make, pkg-config, no configure step.  `make help` lists the rest.

SHELL := /bin/bash
SAN ?=
ifeq ($(origin CC),default)
CC := $(if $(SAN),clang,gcc)
endif
PKG_CONFIG ?= pkg-config
BUILD ?= build$(if $(SAN),/san)

ALL_PROGRAMS := postern postern-edge postern-queue postern-relay \
	postern-resolver postern-vault postern-control posternctl \
	postern-sendmail postern-salvage

# The room a program lives in, and the libraries it alone links.
ROOM_postern := master
ROOM_postern-edge := edge
ROOM_postern-queue := queue
ROOM_postern-relay := relay
ROOM_postern-resolver := resolver
ROOM_postern-vault := vault
ROOM_postern-control := ctl/control
ROOM_posternctl := ctl/tool
ROOM_postern-sendmail := ctl/sendmail
ROOM_postern-salvage := queue/salvage
WITH_postern-salvage := libqueue.a
PROGRAMS := $(foreach p,$(ALL_PROGRAMS),$(if $(wildcard $(ROOM_$(p))/main.c),$(p)))
# The distributions do not agree on its name.
LUA := $(or $(firstword $(foreach m,lua5.4 lua-5.4 lua54 lua,$(if $(shell \
	$(PKG_CONFIG) --atleast-version=5.4 $(m) 2>/dev/null && echo y),$(m)))),lua5.4)
PKG_postern := libcrypto libpcre2-8 $(LUA)
PKG_postern-edge := libssl libcrypto libpcre2-8 $(LUA)
PKG_postern-queue := lmdb libpcre2-8
PKG_postern-salvage := lmdb
PKG_postern-relay := libssl libcrypto libpcre2-8
PKG_postern-resolver := libunbound
PKG_postern-vault := libcrypto libcrypt
PKG_posternctl := libcrypt libunbound libcrypto
PKG_common := libbsd-overlay libseccomp libidn2

# pkg-config module and the Debian package that brings it.
DEBIAN_lmdb := liblmdb-dev
DEBIAN_libunbound := libunbound-dev
DEBIAN_libssl := libssl-dev
DEBIAN_libcrypto := libssl-dev
DEBIAN_libpcre2-8 := libpcre2-dev
DEBIAN_libcrypt := libcrypt-dev
DEBIAN_$(LUA) := liblua5.4-dev
DEBIAN_libbsd-overlay := libbsd-dev
DEBIAN_libseccomp := libseccomp-dev
DEBIAN_libidn2 := libidn2-dev
DEBIAN_cmocka := libcmocka-dev

MODULES := $(sort $(PKG_common) $(foreach p,$(ALL_PROGRAMS),$(PKG_$(p))))
ifeq ($(filter help clean run check lint deps fmt html flow programs deb deb-check rpm,$(MAKECMDGOALS)),)
ifeq ($(shell command -v $(PKG_CONFIG)),)
$(error pkg-config is missing: apt-get install pkg-config)
endif
# --libs, because --exists also wants what only static linking needs.
MISSING := $(foreach m,$(MODULES),$(if $(shell $(PKG_CONFIG) --libs $(m) 2>/dev/null),,$(DEBIAN_$(m))))
ifneq ($(strip $(MISSING)),)
$(error missing development files: apt-get install $(strip $(MISSING)))
endif
endif

WARN := -Wall -Wextra -Wshadow -Werror -Wstrict-prototypes -Wmissing-prototypes \
	-Wformat=2 -Wno-unused-parameter -Wvla
BASE_CFLAGS := -std=gnu17 -g -D_GNU_SOURCE -I. -Icommon -fPIE -pthread -fno-strict-aliasing $(WARN) \
	$(foreach m,$(MODULES),$(shell $(PKG_CONFIG) --cflags $(m) 2>/dev/null))
BASE_LDFLAGS := -pie -pthread
ifneq ($(SAN),)
# With clang, libFuzzer's targets take the same objects.
COVERAGE := $(if $(findstring clang,$(CC)),-fsanitize=fuzzer-no-link)
MODE_CFLAGS := -O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all $(COVERAGE)
MODE_LDFLAGS := -fsanitize=address,undefined
SAN_SRC := common/sys/seccomp_off.c common/ask/signer_now.c
else
MODE_CFLAGS := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 \
	-fstack-protector-strong -fstack-clash-protection -fcf-protection
MODE_LDFLAGS := -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
SAN_SRC := common/sys/seccomp.c common/ask/signer.c
endif
ALL_CFLAGS = $(BASE_CFLAGS) $(MODE_CFLAGS) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS := $(BASE_LDFLAGS) $(MODE_LDFLAGS) $(LDFLAGS)

# The sources of a room and of its folders, and of the engines in queue/store;
# queue/salvage is a program's room.
files_of = $(wildcard $(1)/*.c) \
	$(filter-out queue/salvage/%,$(wildcard $(1)/*/*.c $(1)/*/*/*.c))

# A feature that differs by build or machine is a file, chosen here.
MACHINE := $(shell $(CC) -dumpmachine)
CRC_SRC := common/base/crc_$(or $(if $(filter x86_64-%,$(MACHINE)),x86), \
	$(if $(filter aarch64-%,$(MACHINE)),arm64),none).c
CHOSEN := common/sys/seccomp.c common/sys/seccomp_off.c \
	common/ask/signer.c common/ask/signer_now.c \
	$(wildcard common/base/crc_*.c)
LIB_SRC := $(filter-out $(CHOSEN),$(wildcard common/*/*.c) $(call files_of,conf)) $(SAN_SRC) \
	$(CRC_SRC)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/o/%.o)
LIB := $(BUILD)/libpostern.a

.PHONY: all programs help clean
all: $(PROGRAMS:%=$(BUILD)/%) $(BUILD)/picture
programs:
	@echo $(PROGRAMS)

define program
$(1)_OBJ := $$(patsubst %.c,$$(BUILD)/o/%.o,$$(call files_of,$$(ROOM_$(1))))
$$(BUILD)/$(1): $$($(1)_OBJ) $$(WITH_$(1):%=$$(BUILD)/%) $$(LIB)
	@echo "  LINK  $$@"
	@$$(CC) $$(ALL_LDFLAGS) -o $$@ $$($(1)_OBJ) \
	    $$(WITH_$(1):%=$$(BUILD)/%) $$(LIB) \
	    $$(shell $$(PKG_CONFIG) --libs $$(PKG_$(1)) $$(PKG_common))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

$(LIB): $(LIB_OBJ)
	@rm -f $@
	@ar rcs $@ $^

# What postern-salvage needs to write a store.
$(BUILD)/libqueue.a: $(filter-out %/main.o,$(postern-queue_OBJ))
	@rm -f $@
	@ar rcs $@ $^

# Links refuse a peer of another build: a hash of all that programs share.
SHARED := $(sort $(wildcard common/*/*.[ch] common/*/*.def conf/*.[ch] conf/*/*.[ch] conf/*.def))
$(BUILD)/o/common/bus/build.o: \
	CPPFLAGS += -DBUILD_ID='"$(shell cat $(SHARED) | sha256sum | cut -c1-16)"'
$(BUILD)/o/common/bus/build.o: $(SHARED)

# The examples are within posternctl: name[] of each, - becomes _.
SETUP_FROM := $(wildcard conf/examples/*.conf) conf/postern.conf
$(BUILD)/gen/ctl/tool/setup/examples.h: $(SETUP_FROM)
	@mkdir -p $(@D)
	@awk 'FNR == 1 { n = FILENAME; sub(/.*\//, "", n); sub(/\.conf$$/, "", n); \
	    gsub(/-/, "_", n); \
	    printf "%sstatic const char example_%s[] __attribute__((unused)) =\n", \
	    NR == 1 ? "" : ";\n", n } \
	    { gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); print "\"" $$0 "\\n\"" } \
	    END { print ";" }' $(SETUP_FROM) >$@.part && mv $@.part $@
$(BUILD)/o/ctl/tool/setup/setup.o: CPPFLAGS += -I$(BUILD)/gen
$(BUILD)/o/ctl/tool/setup/setup.o: $(BUILD)/gen/ctl/tool/setup/examples.h

.PRECIOUS: $(BUILD)/o/%.o
$(BUILD)/o/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD)/o -name '*.d' 2>/dev/null)

help:
	@sed -n 's/^#: //p' $(MAKEFILE_LIST)

clean:
	rm -rf build

#: make                   release build in build/
#: make SAN=1             with ASan and UBSan, by clang, in build/san/
#: make CC=clang BUILD=D  with the other compiler, in directory D

# The files that the sanitizers' build, which is clang's, does without.
.PHONY: unseen
unseen: $(SAN_SRC:%.c=$(BUILD)/o/%.o)

# Unit tests: tests/unit/test_NAME.c, one program each.  A test of a program's
# room names that room in a line "room: NAME" of its head comment.  What tests
# share, peers to play and certificates to show, lies in tests/kit.
$(BUILD)/o/tests/%.o: CPPFLAGS += -Itests/kit
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
ifneq ($(SAN),)		# a sanitizer's allocator gives nothing back by itself
UNIT_SRC := $(filter-out tests/unit/test_slack.c,$(UNIT_SRC))
endif
UNIT := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
room_of = $(shell sed -n 's/^ \* room: //p' $(1))
room_src = $(foreach r,$(room_of),$(filter-out %/main.c,$(call files_of,$(r))))
# Outside of the rules: within one, make would put the stem in place of the %.
room_obj = $(patsubst %.c,$(BUILD)/o/%.o,$(room_src))
.SECONDEXPANSION:
$(BUILD)/unit/%: $(BUILD)/o/tests/unit/%.o $(LIB) \
    $$(call room_obj,tests/unit/$$*.c)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) \
	    $(shell $(PKG_CONFIG) --libs $(MODULES) cmocka)
# A program that was taken over: one of its files is tests/hostile's.  Other
# programs know it as their own, for what they share is the same.
HOSTILE := $(addprefix $(BUILD)/hostile/postern-,relay edge queue resolver)
$(BUILD)/hostile/postern-relay: $(BUILD)/o/tests/hostile/to_queue.o \
    $(filter-out %/to_queue.o,$(postern-relay_OBJ)) $(LIB)
$(BUILD)/hostile/postern-edge: $(BUILD)/o/tests/hostile/edge_to_queue.o \
    $(filter-out %/to_queue.o,$(postern-edge_OBJ)) $(LIB)
$(BUILD)/hostile/postern-queue: $(BUILD)/o/tests/hostile/queue_to_relay.o \
    $(filter-out %/to_relay.o,$(postern-queue_OBJ)) $(LIB)
$(BUILD)/hostile/postern-resolver: $(BUILD)/o/tests/hostile/resolver_client.o \
    $(filter-out %/client.o,$(postern-resolver_OBJ)) $(LIB)
$(HOSTILE):
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) \
	    $(shell $(PKG_CONFIG) --libs $(PKG_$(@F)) $(PKG_common))
.PHONY: unit unit-build
unit-build: all $(BUILD)/picture $(HOSTILE) $(UNIT)
unit: unit-build
	@tests/unit.sh $(UNIT)
#: make unit              build and run the unit tests

# Fuzz targets: tests/fuzz/fuzz_NAME.c, clang's libFuzzer; "room: NAME" as above.
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ := $(FUZZ_SRC:tests/fuzz/%.c=build/san/fuzz/%)
SECONDS ?= 60
F ?= *
build/san/fuzz/%: build/san/o/tests/fuzz/%.o build/san/libpostern.a \
    $$(call room_obj,tests/fuzz/$$*.c)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ \
	    $(filter %.o,$^) $(LIB) $(shell $(PKG_CONFIG) --libs $(MODULES))
.PHONY: fuzz-build fuzz
ifneq ($(SAN),)
fuzz-build: $(FUZZ)
else
fuzz-build:
	@$(MAKE) SAN=1 fuzz-build
endif
fuzz: fuzz-build
	@tests/fuzz.sh $(SECONDS) \
	    $(filter build/san/fuzz/fuzz_$(subst *,%,$(F)),$(FUZZ))
#: make fuzz [F=conf] [SECONDS=300]   run the fuzz targets, or one of them

.PHONY: deps lint fmt html flow picture check e2e run bench soak
.PHONY: install install-files install-system deb
deps:
	@tests/deps.sh test
#: make deps              install the Debian packages that make check needs

lint:
	@tests/lint.sh
#: make lint              layers, flow, format, words, man pages

flow:
	@tests/lint/flow.sh print
#: make flow              the pairs of files that carry messages

# Built with the edge's room, which has the table of the dialogue.
$(BUILD)/picture: $(BUILD)/o/tests/picture.o $(LIB) \
    $(filter-out %/main.o,$(postern-edge_OBJ))
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) \
	    $(shell $(PKG_CONFIG) --libs $(PKG_postern-edge) $(PKG_common))
picture: $(BUILD)/picture
	@$(BUILD)/picture
#: make picture           processes, messages, SMTP commands, replies, as listed

# The manual pages for a browser; those of others are Debian's.
PAGES := $(notdir $(wildcard man/*.[0-9]))
html:
	@command -v mandoc >/dev/null || \
	    { echo "make html needs: apt-get install mandoc" >&2; exit 1; }
	@mkdir -p $(BUILD)/html && cd $(BUILD)/html && \
	    touch $(PAGES:%=%.html) && for p in $(PAGES); do \
	    mandoc -Thtml -O 'toc,man=%N.%S.html;https://manpages.debian.org/%N.%S' \
	    $(CURDIR)/man/$$p >$$p.html || exit 1; done
	@echo "$(BUILD)/html/postern.8.html"
#: make html              the manual pages for a browser, in build/html

fmt:
	@tests/lint/format.sh
#: make fmt               check the layout of the sources

e2e: all $(BUILD)/picture $(HOSTILE)
	@POSTERN_BUILD=$(BUILD) tests/e2e.sh $(T)
#: make e2e [T=ARGS]      end-to-end tests; T goes to pytest ("-k maildir")

check:
	@tests/deps.sh test
	@tests/check.sh
#: make check             all of it: builds, lint, unit, end-to-end, sanitizers

run:
	@tests/deps.sh build
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@ONCE=$(ONCE) conf/examples/demo.sh $(BUILD)
#: make run [ONCE=1]      a demonstration on 127.0.0.1:2525; ONCE=1 ends by itself

# The edge with the key in the process: what the vault is measured against.
$(BUILD)/bench/postern-edge: $(BUILD)/o/tests/bench/tls_server_keyed.o \
    $(LIB) $(postern-edge_OBJ)
	@mkdir -p $(@D)
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) \
	    $(shell $(PKG_CONFIG) --libs $(PKG_postern-edge) $(PKG_common))
bench: all $(BUILD)/bench/postern-edge
	@tests/bench.sh $(BUILD)
	@tests/bench/handshakes.sh $(BUILD)
#: make bench             messages and TLS handshakes a second

soak: all
	@POSTERN_BUILD=$(BUILD) POSTERN_SOAK=1 tests/e2e.sh -k "storm or load"
#: make soak              the kill storm and the load at full length

seeds: all
	@POSTERN_BUILD=$(BUILD) tests/seeds.sh
#: make seeds             what slimta's documents say, and which of it is met

# The programs look for each other beside their own file, links or not.  The
# names that every mail system has are taken only where nobody else has them.
DESTDIR ?=
PREFIX ?= /usr
UNITDIR ?= $(PREFIX)/lib/systemd/system
AT := $(DESTDIR)$(PREFIX)
ETC := $(DESTDIR)/etc/postern
EXAMPLES := $(filter-out %/demo.conf,$(wildcard conf/examples/*.conf)) \
	conf/examples/report-de.txt
take = if { [ -e $(2) ] || [ -L $(2) ]; } && \
	[ "$$(readlink $(2))" != $(1) ]; then \
	echo "$(2) is somebody else's, and stays"; else ln -sfn $(1) $(2); fi
install: install-files install-system
# Users are made here and now only where it is this host that we install on.
	@if [ -n "$(DESTDIR)" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v systemd-sysusers >/dev/null; then \
	    systemd-sysusers $(AT)/lib/sysusers.d/postern.conf; \
	else echo "still to do, as root: systemd-sysusers" \
	    "$(AT)/lib/sysusers.d/postern.conf"; fi
install-files: all
	install -d $(AT)/lib/postern $(AT)/sbin $(AT)/bin $(ETC)/postern.d \
	    $(AT)/share/doc/postern/examples \
	    $(foreach n,1 5 7 8,$(AT)/share/man/man$(n))
	install -m 755 $(PROGRAMS:%=$(BUILD)/%) $(AT)/lib/postern
	ln -sfn ../lib/postern/postern $(AT)/sbin/postern
	ln -sfn ../lib/postern/posternctl $(AT)/sbin/posternctl
	@$(call take,../lib/postern/postern-sendmail,$(AT)/sbin/sendmail)
	@$(call take,../lib/postern/postern-sendmail,$(AT)/bin/mailq)
	@$(call take,../lib/postern/postern-sendmail,$(AT)/bin/newaliases)
	@$(call take,../lib/postern/postern-sendmail,$(AT)/sbin/rmail)
	$(foreach n,1 5 7 8,install -m 644 $(wildcard man/*.$(n)) \
	    $(AT)/share/man/man$(n) &&) true
	@for n in sendmail mailq newaliases rmail; do \
	    $(call take,postern-sendmail.1,$(AT)/share/man/man1/$$n.1); done
	install -m 644 $(EXAMPLES) $(AT)/share/doc/postern/examples
	install -d $(AT)/share/doc/postern/examples/logwatch
	install -m 644 conf/logwatch/*.conf conf/logwatch/postern \
	    $(AT)/share/doc/postern/examples/logwatch
	install -m 644 conf/logrotate $(AT)/share/doc/postern/examples
	install -d $(AT)/share/doc/postern/examples/fail2ban
	install -m 644 conf/fail2ban/*.conf \
	    $(AT)/share/doc/postern/examples/fail2ban
	[ -e $(ETC)/postern.conf ] || { \
	    install -m 644 conf/postern.conf $(ETC) && \
	    install -m 644 conf/postern.d/*.conf $(ETC)/postern.d; }
#: make install           programs to $PREFIX (/usr), $DESTDIR before all

# What systemd and shells read, see system/.
$(BUILD)/completion.%: system/completion.sh ctl/tool/commands.def
	@mkdir -p $(@D)
	@CC="$(CC)" system/completion.sh $* ctl/tool/commands.def >$@
install-system: $(BUILD)/completion.bash $(BUILD)/completion.zsh
	install -d $(DESTDIR)$(UNITDIR) $(AT)/lib/sysusers.d \
	    $(AT)/lib/tmpfiles.d $(AT)/share/bash-completion/completions \
	    $(AT)/share/zsh/vendor-completions
	install -m 644 system/*.service $(DESTDIR)$(UNITDIR)
	install -m 644 system/homes.conf $(AT)/share/doc/postern/examples
	install -m 644 system/sysusers.conf $(AT)/lib/sysusers.d/postern.conf
	install -m 644 system/tmpfiles.conf $(AT)/lib/tmpfiles.d/postern.conf
	install -m 644 $(BUILD)/completion.bash \
	    $(AT)/share/bash-completion/completions/posternctl
	install -m 644 $(BUILD)/completion.zsh \
	    $(AT)/share/zsh/vendor-completions/_posternctl

# debian/ is the package.  What git knows is copied, so that nothing is made
# beside the sources; PREBUILT=build packs the programs that are there.
PREBUILT ?=
deb:
	@debian/make.sh build/deb $(abspath $(PREBUILT))
#: make deb               the Debian packages, in build/deb/

.PHONY: rpm
rpm:
	@rpm/make.sh build/rpm $(abspath $(PREBUILT))
#: make rpm               the packages for Fedora, in build/rpm/ (rpmbuild)

.PHONY: deb-check
deb-check: deb
	@PREBUILT=$(abspath $(PREBUILT)) tests/deb.sh build/deb
#: make deb-check         tries them in a Debian with systemd (mmdebstrap; root)

#: make clean             remove build/
