# SPDX-License-Identifier: MIT
#
#: make run-qemu   get the tools, build the firmware, boot it, hear the tone; on a terminal a REPL
#: make repl       the same with a REPL only, no tone
#: make serve      the same with its serial port on TCP, for mpremote: PORT=N, 5555 unless given
#: make test       every test; also test-unit (seconds, no firmware), test-qemu (in the firmware) and
#:                 test-device (in the firmware, with the strict sound device of host/virtsnd)
#: make test-upstream  MicroPython's own tests, and write docs/upstream.md; QUICK=1 for what CI runs of
#:                 them, TESTS="extmod/vfs_rom.py ..." for some
#: make conformance  the same for the rules of VirtIO alone, and write docs/conformance.md
#: make robustness  write docs/robustness.md, and test what it says of faults of the device
#: make bench      what playing costs, in guest instructions, and whether it costs more than it did;
#:                 ACCEPT=1 takes today's figures for right; QUICK=1 for what CI does
#: make soak       noise in real time for MINUTES=10 while every processor is busy; RING=1 finds the
#:                 smallest ring that plays without an xrun (docs/realtime.md)
#: make analyze    look for mistakes in the port's C without running it
#: make fuzz       the port's C on this machine, with sanitizers, for SECONDS=60 each part
#: make picture    draw docs/tone.svg from a recording of the tone
#: make firmware   only build build/$(BOARD)/firmware.elf
#: make tools      only get QEMU, a RISC-V GCC and MicroPython's source, into .tools/
#: make clean      remove what was built (.tools/ and .venv/ stay)
#:
#: BOARD=qemu_virt32 is the same board with a 32-bit processor; qemu_virt unless given
#:
#: Where tools come from (else PATH, else Debian's packages; the system stays as it is):
#:   QEMU=FILE            a qemu-system-riscv64, 8.2 or newer
#:   CROSS_COMPILE=PREFIX a GCC with picolibc, like /opt/x/bin/riscv64-unknown-elf-
#:   MICROPY_DIR=DIR      MicroPython's source, 1.25 or newer
#:   TOOLS=private        never use what is on PATH
#:
#: What run-qemu, repl and serve run:
#:   ROM=DIR     a folder that the board sees as /rom; its main.py runs instead of the tone
#:   DISK=PATH   the board's /disk: an image, made on first use, or a folder, which is read-only
#:   AUDIO=NAME  where sound goes: wav (the default), none, alsa, pa, pipewire, sdl, coreaudio
#:   WAV=FILE    the recording; build/$(BOARD)/run.wav unless given
#:   RATE=HZ     of the recording; 48000 unless given
#:   STREAMS=N   of the sound card, the first half outputs: 2 has an input too; 1 unless given
#:   DEVICE=SOCKET  a sound card of its own, see docs/device.md; no recording by QEMU then

PYTHON ?= python3
JOBS   ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)

BOARD  ?= qemu_virt
ifeq ($(wildcard boards/$(BOARD)),)
$(error there is no board $(BOARD), but $(notdir $(wildcard boards/*)))
endif
BUILD  := build/$(BOARD)
# Unless a board is named, some tests run on the other one too.
TESTED := $(if $(filter file,$(origin BOARD)),qemu_virt qemu_virt32,$(BOARD))
VENV   := .venv/bin/python
VIRTBOARD := PYTHONPATH=host $(VENV) -m virtboard
# One more at a time than there are processors: many wait for a board in real time.
PYTEST = $(VENV) -m pytest -n $(shell expr $(JOBS) + 1) --dist worksteal

# Make itself hands variables that the user gave, and only those, to what it runs. They are not
# exported here, because that would give ROM= and its like to virtboard empty.

.DELETE_ON_ERROR:
.NOTPARALLEL: # two boards share mpy-cross
.PHONY: help run-qemu repl serve test test-unit test-qemu test-device test-upstream conformance \
	robustness bench soak analyze fuzz picture firmware tools clean

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

run-qemu: firmware .venv/made
	@$(VIRTBOARD) run

repl: firmware .venv/made
	@$(VIRTBOARD) run --repl

serve: firmware .venv/made
	@$(VIRTBOARD) run --port $(or $(PORT),5555)

test: $(TESTED:%=build/%/firmware.elf) .venv/made
	@$(PYTEST) tests/unit tests/host_c tests/qemu tests/device

test-unit: .venv/made
	@$(PYTEST) tests/unit

test-qemu: $(TESTED:%=build/%/firmware.elf) .venv/made
	@$(PYTEST) tests/qemu

test-device: firmware .venv/made
	@$(PYTEST) tests/device

# The page is about the board that is meant when none is named.
UPSTREAM_PAGE = $(if $(filter file,$(origin BOARD)),--page docs/upstream.md)
test-upstream: firmware .venv/made
	@PYTHONPATH=host $(VENV) tests/upstream/run.py $(UPSTREAM_PAGE) $(if $(QUICK),--quick) $(TESTS)

# The page is written even if a test failed: it says so.
conformance: firmware .venv/made
	@$(PYTEST) -m rule --junitxml=build/conformance.xml tests/unit tests/device; status=$$?; \
		PYTHONPATH=host $(VENV) tests/conformance.py build/conformance.xml >docs/conformance.md \
		&& exit $$status

robustness: .venv/made
	@PYTHONPATH=host $(VENV) tests/robustness.py >docs/robustness.md
	@$(PYTEST) tests/unit/test_robustness_faults.py

bench: firmware .venv/made
	@PATH="$(CURDIR)/.tools/bin:$$PATH" $(MAKE) --no-print-directory -f bench/floor/Makefile BOARD=$(BOARD)
	@PYTHONPATH=host $(VENV) -m bench $(if $(QUICK),--quick) $(if $(ACCEPT),--accept)

soak: firmware .venv/made
	@PYTHONPATH=host $(VENV) bench/soak.py $(if $(RING),--ring) $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(PERIOD),--period $(PERIOD)) $(if $(PERIODS),--periods $(PERIODS)) $(if $(LOAD),--load $(LOAD))

CPPCHECK = .venv/bin/cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability,performance \
	--inline-suppr --suppress=missingInclude --suppress=subtractPointers -D__GNUC__=12 \
	-Iboards/qemu_virt -Iports/riscv
analyze: firmware .venv/made
	@$(PORT_MAKE) BOARD=$(BOARD) BUILD=$(BUILD) analyze
	@$(CPPCHECK) --platform=unix64 -D__riscv_xlen=64 ports/riscv
	@$(CPPCHECK) --platform=unix32 -D__riscv_xlen=32 ports/riscv

fuzz: .venv/made
	@SECONDS=$(or $(SECONDS),60) $(VENV) -m pytest -s tests/host_c

picture: firmware .venv/made
	@$(VIRTBOARD) run --headless --wav $(BUILD)/tone.wav
	@$(VIRTBOARD) picture $(BUILD)/tone.wav docs/tone.svg

# Some tools may have been named otherwise since the last time, or be gone: a look takes a second.
tools:
	@PYTHONPATH=host $(PYTHON) -m virtboard.tools

# The wrappers in .tools/bin and the link .tools/micropython lead to whatever the user chose. Objects
# of two MicroPythons or compilers must not mix, so another choice begins with an empty folder.
MADE_WITH = readlink -f .tools/micropython; cat .tools/bin/riscv64-unknown-elf-gcc
PORT_MAKE = PATH="$(CURDIR)/.tools/bin:$$PATH" $(MAKE) --no-print-directory \
	$(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS)) -f ports/riscv/Makefile BUILD_VERBOSE=$(or $(V),0) \
	MICROPY_DIR=.tools/micropython CROSS_COMPILE=riscv64-unknown-elf-
firmware: $(BUILD)/firmware.elf
build/%/firmware.elf: tools
	@mkdir -p build/$* && new=build/$*.tools.$$$$ && { $(MADE_WITH); } >$$new && \
		{ cmp -s $$new build/$*.tools || rm -rf build/$* build/mp125/$*; } && mv $$new build/$*.tools
	@$(PORT_MAKE) BOARD=$* BUILD=build/$*

# Made from nothing each time, so that no half of an interrupted one is left.
.venv/made: host/requirements.lock
	@echo "Getting the Python packages of $< into .venv/"
	@rm -rf .venv && $(PYTHON) -m venv .venv && .venv/bin/pip -qq --disable-pip-version-check install --require-hashes -r $<
	@touch $@

clean:
	rm -rf build .pytest_cache
