# SPDX-License-Identifier: MIT
"""Make the tools available: QEMU with a sound card, a RISC-V GCC, MicroPython's source.

`python3 -m virtboard.tools` needs only Python's standard library and changes nothing on the
system. For each tool it takes, in this order: what the user names (QEMU=, CROSS_COMPILE=,
MICROPY_DIR=), what is on PATH if it is good enough (unless TOOLS=private), Debian packages.

    .tools/bin/          wrappers: the same commands wherever the tools came from
    .tools/micropython   a link to the source: micropython-VERSION beside it, or the user's own
    .tools/debian/       unpacked packages
    .tools/sounds/       voice recordings that tests play; optional
"""

import argparse
import contextlib
import fcntl
import os
import shutil
import sys
import time
from functools import partial
from pathlib import Path

from virtboard.apt_sources import ToolsError, Unavailable
from virtboard.tools_checks import check_gcc, check_host, check_micropython, check_qemu
from virtboard.tools_packages import MICROPYTHON, Packages
from virtboard.tools_trees import add_facts, read_stamp, swap, write_stamp
from virtboard.tools_wrappers import (
    QEMU,
    QEMU32,
    TARGET,
    library_path,
    picolibc_flags,
    wrap_gcc,
    wrap_private_qemu,
    wrap_qemu,
)

ROOT = Path(__file__).resolve().parents[2]  # the checkout
TOOLS = ROOT / ".tools"

DEFAULT, FALLBACK = MICROPYTHON
PREFIXES = (TARGET, "riscv64-elf-")  # Arch and Homebrew say riscv64-elf
RECORDINGS = Path("/usr/share/sounds/alsa")
LOCK_LIMIT = 3600  # seconds

HELP = """\
Three things are needed, and this system's packages do not give all of them:
  QEMU 8.2 or newer, with virtio-sound    QEMU=/path/to/qemu-system-riscv64
  a RISC-V ELF GCC with picolibc          CROSS_COMPILE=/path/to/bin/riscv64-unknown-elf-
  MicroPython's source, 1.25 or newer     MICROPY_DIR=/path/to/micropython   (git tag v1.26.1)
The first two are also found on PATH, for instance after
  Debian 13, Ubuntu 24.04
    sudo apt-get install qemu-system-misc gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf
  Fedora  sudo dnf install qemu-system-riscv    (GCC: unpack a riscv-none-elf release of xPack's)
  Arch    sudo pacman -S qemu-system-riscv riscv64-elf-gcc riscv64-elf-newlib
  macOS   brew install qemu && brew tap riscv-software-src/riscv && brew install riscv-tools"""


def ensure(root=ROOT, micropython=None, say=print):
    """Make every tool available in `root`/.tools; say where each came from, one line each.

    `micropython` (else MICROPY_VERSION=) asks for one more version of MicroPython's source, in
    `.tools/micropython-VERSION`. Raises ToolsError: what is wrong, and what would be right.
    """
    Workshop(root, say).run(micropython)


class Workshop:
    """The `.tools` of one checkout, and the choice of each tool in it."""

    def __init__(self, root=ROOT, say=print, environ=os.environ):
        self.root, self.say, self.environ = Path(root).resolve(), say, environ
        self.tools = self.root / ".tools"
        self.bin, self.tmp = self.tools / "bin", self.tools / "tmp"
        self.private = environ.get("TOOLS") == "private"
        self.packages = None

    def run(self, micropython=None):
        """Check the host, then make each tool available. Raises ToolsError."""
        version = micropython or self.environ.get("MICROPY_VERSION")
        if version and version not in MICROPYTHON:
            right = f"{' or '.join(MICROPYTHON)}, or a source tree named with MICROPY_DIR="
            raise ToolsError(f"MicroPython {version} cannot be fetched; it should be {right}")
        check_host(self.root)
        with self.locked() as lock, self.scratch():
            self.packages = Packages(self.tools, self.say, (lock,))
            self.bin.mkdir(exist_ok=True)
            qemu, gcc, source = self.choose_qemu(), self.choose_gcc(), self.choose_source()
            self.qemu(*qemu)
            self.gcc(*gcc)
            if version and (version != DEFAULT or source):
                self.micropython_tree(version)
            self.micropython(source)
            self.sounds()
            self.packages.forget()

    def choose_qemu(self):
        """(program, version) of the QEMU that the user names or that is on PATH, or Nones."""
        right = "the path of a qemu-system-riscv64, 8.2 or newer"
        return self.choose("QEMU", "", right, [QEMU], check_qemu)

    def choose_gcc(self):
        """(program, (version, library)) of the GCC that is named or on PATH, or Nones."""

        def check(command):
            return check_gcc(command, picolibc_flags(self.tools, command))

        right = "a prefix such as /opt/x/bin/riscv64-unknown-elf-"
        return self.choose("CROSS_COMPILE", "gcc", right, [f"{p}gcc" for p in PREFIXES], check)

    def choose_source(self):
        """The folder of MicroPython's source that the user names, or None."""
        value = self.given("MICROPY_DIR")
        if not value:
            return None
        folder = Path(value).expanduser().resolve()
        try:
            check_micropython(folder)
        except ToolsError as problem:
            raise ToolsError(f"MICROPY_DIR={value}: {problem}") from None
        return folder

    def choose(self, variable, ending, right, programs, check):
        """(program, what its check says): the user's choice, else the first on PATH that will do.

        Nones if neither is there. Raises ToolsError if the user's choice will not do.
        """
        value = self.given(variable, ending)
        if value:
            command = self.find(value + ending)
            if not command:
                lacking = f"there is no program {value}{ending}"
                raise ToolsError(f"{variable}={value}: {lacking}; it should be {right}")
            try:
                return command, check(command)
            except ToolsError as problem:
                raise ToolsError(f"{variable}={value}: {problem}") from None
        for command in () if self.private else filter(None, map(self.find, programs)):
            try:
                return command, check(command)
            except ToolsError as problem:
                self.say(f"{'':11} not used: {problem}")
        return None, None

    def given(self, variable, ending=""):
        """The user's setting; one that leads back to our own wrappers or link counts as none."""
        value = self.environ.get(variable, "")
        if variable == "MICROPY_DIR":
            path = Path(value)
            ours = path.parent.resolve() / path.name == self.tools / "micropython"
        else:
            path = shutil.which(value + ending, path=self.environ.get("PATH")) or value + ending
            ours = Path(path).parent.resolve() == self.bin
        return "" if ours else value

    def find(self, program):
        """The absolute path of a program, never one of our wrappers; None if there is none."""
        folders = self.environ.get("PATH", os.defpath).split(os.pathsep)
        others = [folder for folder in folders if folder and Path(folder).resolve() != self.bin]
        found = shutil.which(os.path.expanduser(program), path=os.pathsep.join(others))
        return os.path.abspath(found) if found else None

    def qemu(self, command=None, version=None):
        """Write QEMU's wrappers, for this program or for packages."""
        if command:
            wrap_qemu(self.tools, command)
            return self.report("qemu", version, command)

        def check():
            version = check_qemu(self.bin / QEMU)
            if not (self.bin / QEMU32).exists():
                raise ToolsError(f"it has no {QEMU32}")
            return version, ""

        self.unpacked("qemu", self.packages.qemu, partial(wrap_private_qemu, self.tools), check)

    def gcc(self, command=None, found=None):
        """Write the wrappers of GCC and its binutils, for this program or for packages."""
        if command:
            wrap_gcc(self.tools, command)
            return self.report("gcc", found[0], f"{command}, {found[1]}")
        script = self.bin / f"{TARGET}gcc"

        def wrap(tree):
            libraries = library_path(tree, f"$here/{tree.relative_to(self.tools)}")
            wrap_gcc(self.tools, tree / "usr" / "bin" / script.name, libraries)

        self.unpacked("gcc", self.packages.gcc, wrap, lambda: check_gcc(script))

    def micropython(self, folder=None):
        """Point `.tools/micropython` at MicroPython's source, this folder or an unpacked one."""
        if folder:
            self.link(folder)
            return self.report("micropython", check_micropython(folder), folder)
        kept = read_stamp(self.tools / f"micropython-{FALLBACK}") or {}
        version = FALLBACK if kept.get("instead_of") == DEFAULT else DEFAULT
        try:
            self.micropython_tree(version)
        except Unavailable as problem:
            self.say(f"{'':11} {problem}: taking {FALLBACK}")
            version = FALLBACK
            self.micropython_tree(version)
            # So that the next run finds its choice made, and asks the network nothing.
            add_facts(self.tools / f"micropython-{version}", instead_of=DEFAULT)
        self.link(f"micropython-{version}")

    def micropython_tree(self, version):
        """Have `.tools/micropython-VERSION`. Raises Unavailable if the archive lacks it."""
        tree = self.tools / f"micropython-{version}"
        if not read_stamp(tree):
            self.packages.fetch(partial(self.packages.micropython, version=version), tree)
        self.report_tree("micropython", tree, check_micropython(tree))

    def sounds(self):
        """Get the voice recordings that some tests play; going without them is no error."""
        tree = self.tools / "sounds"
        try:
            if not read_stamp(tree):
                if not self.private and list(RECORDINGS.glob("*.wav")):
                    shutil.copytree(RECORDINGS, self.tmp / "sounds")
                    write_stamp(self.tmp / "sounds", origin=str(RECORDINGS))
                    swap(self.tmp / "sounds", tree, self.tmp / "old")
                else:
                    self.packages.fetch(self.packages.sounds, tree)
            self.report_tree("sounds", tree, f"{len(read_stamp(tree)['files'])} files")
        except (ToolsError, OSError) as problem:
            self.report("sounds", "none", f"optional: some tests are skipped ({problem})")

    def unpacked(self, name, get, wrap, check):
        """Use the unpacked tree `name` if it is whole and works; else download and unpack it."""
        tree = self.tools / "debian" / name
        if read_stamp(tree):
            wrap(tree)
            try:
                return self.report_tree(name, tree, *check())
            except ToolsError as problem:
                self.say(f"{'':11} {name} stopped working ({problem}): unpacking it again")
        self.packages.fetch(get, tree)
        wrap(tree)
        try:
            self.report_tree(name, tree, *check())
        except ToolsError as problem:
            raise ToolsError(f"the unpacked {name} does not work here: {problem}") from None

    def link(self, target):
        """Point `.tools/micropython` at a source tree."""
        link, new = self.tools / "micropython", self.tmp / "link"
        if link.is_symlink() and os.readlink(link) == str(target):
            return
        new.symlink_to(target)
        if link.is_dir() and not link.is_symlink():
            shutil.rmtree(link)
        os.replace(new, link)

    def report(self, name, version, origin):
        self.say(f"{name:11} {version:8} {origin}")

    def report_tree(self, name, tree, version, extra=""):
        place, origin = tree.relative_to(self.root), read_stamp(tree)["origin"]
        self.report(name, version, f"{place} ({origin})" + (extra and f", {extra}"))

    @contextlib.contextmanager
    def scratch(self):
        """Have an empty folder `tmp`, of which nothing is left afterwards."""
        shutil.rmtree(self.tmp, ignore_errors=True)
        self.tmp.mkdir()
        try:
            yield
        finally:
            shutil.rmtree(self.tmp, ignore_errors=True)

    @contextlib.contextmanager
    def locked(self):
        """Hold `.tools/lock`, whose descriptor it gives: a second run in this checkout waits.

        Children inherit it, so that the apt-get of a run that was killed is waited for too.
        """
        try:
            self.tools.mkdir(parents=True, exist_ok=True)
            lock = open(self.tools / "lock", "a")
        except OSError as problem:
            why = f"cannot write to {self.tools} ({problem.strerror})"
            raise ToolsError(f"{why}; the checkout should be writable") from None
        end, waiting = time.monotonic() + LOCK_LIMIT, False
        with lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise ToolsError(f"{lock.name} is still locked by another run") from None
                    if not waiting:
                        self.say("waiting for another run in this checkout to finish")
                    waiting = True
                    time.sleep(0.2)
            yield lock.fileno()


def main(arguments=None):
    """The command line. Returns 0, 1 with a message on standard error, 130 when interrupted."""
    parser = argparse.ArgumentParser(
        prog="python3 -m virtboard.tools",
        description="Make QEMU, a RISC-V GCC and MicroPython's source available in .tools/.",
    )
    parser.add_argument(
        "--root", type=Path, default=ROOT, metavar="DIR", help="the checkout (default: this one)"
    )
    parser.add_argument(
        "--micropython",
        metavar="VERSION",
        help=f"have .tools/micropython-VERSION too: {' or '.join(MICROPYTHON)}",
    )
    options = parser.parse_args(arguments)
    try:
        ensure(options.root, options.micropython, partial(print, flush=True))
        return 0
    except KeyboardInterrupt:
        print("interrupted; run this again to go on", file=sys.stderr)
        return 130
    except Unavailable as problem:
        print(f"{problem}\n{HELP}", file=sys.stderr)
    except ToolsError as problem:
        print(problem, file=sys.stderr)
    except OSError as problem:
        where = problem.filename or options.root
        print(f"{where}: {problem.strerror or problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
