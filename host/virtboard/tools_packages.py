# SPDX-License-Identifier: MIT
"""Which Debian packages hold the tools, and how each becomes an unpacked tree."""

import re
import shutil

from virtboard.apt import Apt, AptFailed, Damaged, the_one, unpack
from virtboard.apt_sources import Unavailable
from virtboard.tools_checks import QEMU_MINIMUM
from virtboard.tools_trees import swap, unpack_source, verify, write_stamp

# Version: SHA-256 of Debian's tarball, and a suite that has it. First the default, then what
# stands in for it where the archive no longer, or not yet, has it.
MICROPYTHON = {
    "1.26.1": ("f5ad2ec89d3e921f753d448955af98b6005655f84ba26087dde6ba0e8d062f34", "forky"),
    "1.25.0": ("7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea", "trixie"),
}
UNWANTED = (  # half of what the packages hold
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/lib/picolibc/*/lib/release",  # the whole library again, built for speed
    "usr/lib/gcc/*/*/cc1plus",
    "usr/lib/gcc/*/*/plugin",
    "usr/bin/*-[gc]++",
    "usr/bin/*-lto-dump",
)


def numbers(version):
    """The upstream numbers of a version: 1:10.0.2+ds-2~bpo12+1 gives (10, 0, 2)."""
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", version)
    return tuple(map(int, found.group(1).split("."))) if found else ()


class Packages:
    """Fetches trees into the folder `tools`; apt is started when it is first needed.

    The methods `qemu`, `gcc`, `sounds` and `micropython` download and unpack into a new folder.
    They raise Unavailable if this system's archive lacks the packages, and AptFailed.
    """

    def __init__(self, tools, say=print, keep=()):
        self.tools, self.say, self.keep = tools, say, keep
        self.tmp = tools / "tmp"
        self.apt = None

    def fetch(self, get, tree):
        """Have get(folder) fill a new folder, which then takes the place of `tree`.

        What came damaged is downloaded once more, from nothing.
        """
        new = self.tmp / "new"
        for last in (False, True):
            shutil.rmtree(new, ignore_errors=True)
            try:
                self.apt = self.apt or Apt(self.tools / "apt", self.say, self.keep)
                get(new)
                break
            except Damaged as problem:
                self.forget()
                if last:
                    raise
                self.say(f"{'':11} {problem}: downloading again")
        swap(new, tree, self.tmp / "old")

    def forget(self):
        """Remove everything that was downloaded."""
        shutil.rmtree(self.tools / "apt", ignore_errors=True)
        self.apt = None

    def qemu(self, folder):
        """QEMU for RISC-V, which newer releases have in a package of its own."""
        packages = ("qemu-system-riscv", "qemu-system-misc")
        package, suite = self._offer(packages, QEMU_MINIMUM)
        self._unpack(self.apt.download("qemu", [package], suite), folder, suite)

    def gcc(self, folder):
        """The compiler, its binutils and picolibc."""
        names = [f"{kind}-riscv64-unknown-elf" for kind in ("gcc", "binutils", "picolibc")]
        suites = [self._offer([name])[1] for name in names]
        self._unpack(self.apt.download("gcc", names, suites[0]), folder, suites[0])

    def sounds(self, folder):
        """The voice recordings of alsa-utils."""
        _, suite = self._offer(["alsa-utils"])
        whole = self.tmp / "alsa-utils"
        shutil.rmtree(whole, ignore_errors=True)
        unpack([self.apt.download_alone("sounds", "alsa-utils")], whole, self.keep)
        shutil.copytree(whole / "usr/share/sounds/alsa", folder)
        write_stamp(folder, origin=f"alsa-utils, {suite}")

    def micropython(self, folder, version):
        """MicroPython's source as its authors released it: Debian's patches are left out."""
        sha256, carrier = MICROPYTHON[version]
        reasons = []
        for name in dict.fromkeys((carrier, self.apt.base.name)):
            try:
                self.apt.use(self.apt.suite(name, "deb-src"))
            except AptFailed as problem:
                reasons.append(f" ({problem.words})")
            for offered, suite in self.apt.versions("micropython", "Sources"):
                if numbers(offered) == numbers(version):
                    tarballs = self.apt.download_source("micropython", "micropython", offered)
                    main = (path for path in tarballs if ".orig.tar" in path.name)
                    verify(the_one(main, offered), sha256)
                    unpack_source(tarballs, folder, self.tmp / "source")
                    return write_stamp(folder, origin=suite)
        raise Unavailable(f"the archive has no MicroPython {version}" + "".join(reasons[:1]))

    def _offer(self, packages, minimum=(0,)):
        """(package, suite): the first of these that this release, or else its backports, has."""
        reason = ""
        for suites in (self.apt.binaries, [self.apt.suite(f"{self.apt.base.name}-backports")]):
            try:
                self.apt.use(*suites)
            except AptFailed as problem:
                if suites is self.apt.binaries:
                    raise
                reason = f" ({problem.words})"
            for package in packages:
                for version, suite in self.apt.versions(package):
                    if numbers(version) >= minimum:
                        return package, suite
        least = f" {'.'.join(map(str, minimum))} or newer" if any(minimum) else ""
        raise Unavailable(f"{self.apt.base.name} has no {packages[-1]}{least}{reason}")

    def _unpack(self, debs, folder, suite):
        self.say(f"{'':11} unpacking {len(debs)} packages")
        unpack(debs, folder, self.keep)
        for path in [path for pattern in UNWANTED for path in folder.glob(pattern)]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        write_stamp(folder, origin=suite)
