# SPDX-License-Identifier: MIT
"""Debian packages without installing them: a private apt in a folder of ours.

`apt-get` downloads, and checks signatures and hashes; `dpkg -x` unpacks. Nothing here needs root,
and nothing outside the folder changes.
"""

import contextlib
import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

from virtboard.apt_sources import (
    ToolsError,
    Unavailable,
    distribution_suites,
    machine_entries,
    os_release,
)

DOWNLOAD_LIMIT = 1800  # seconds for one apt-get; it gives up a silent server by itself before
UNPACK_LIMIT = 600  # seconds for one package
HINT = "check the network, or name the tools with QEMU=, CROSS_COMPILE= and MICROPY_DIR="

# Read after the machine's own settings, so that a proxy, say, stays in force; its hooks do not.
CONFIG = """\
#clear APT::Update;
#clear DPkg;
#clear APT::Default-Release;
#clear APT::Architectures;
#clear Acquire::Languages;
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages {{ "none"; }};
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
Dir::Etc::sourcelist "{work}/none/sources.list";
Dir::Etc::sourceparts "{work}/sources";
Dir::Etc::preferences "{work}/none/preferences";
Dir::Etc::preferencesparts "{work}/none";
Dir::State "{work}/state";
Dir::State::status "{work}/status";
Dir::Cache "{work}/cache";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Log "{work}/log";
"""
FOLDERS = ("none", "sources", "state/lists/partial", "cache/archives/partial", "log", "source")
OURS = re.compile(r"(qemu|gcc-riscv64|binutils-riscv64|picolibc|opensbi)")


class AptFailed(ToolsError):
    """apt-get did not do what it should; `words` are its own."""

    def __init__(self, words):
        super().__init__(f"apt: {words}; {HINT}")
        self.words = words


class Damaged(ToolsError):
    """What was downloaded cannot be used; worth one more try from nothing."""


def slim_status(text, architecture):
    """dpkg's status file, reduced to what is installed and what that provides.

    Without their relations the system's packages cannot stand in the way. Our tools' packages
    are left out, so that a private QEMU never rests on half of an installed one.
    """
    keep = "Package Status Priority Architecture Multi-Arch Version Provides".split()
    stanzas = []
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"^([\w-]+): *(.*)$", stanza, re.M))
        installed = fields.get("Status") == "install ok installed"
        native = fields.get("Architecture") in (architecture, "all")
        if installed and native and not OURS.match(fields.get("Package", "")):
            stanzas.append("".join(f"{k}: {fields[k]}\n" for k in keep if k in fields))
    return "\n".join(stanzas)


class Apt:
    """apt-get with its settings, indexes and packages in the folder `work`.

    `say` prints a line of progress; `keep` are file descriptors that children inherit (a lock).
    Raises Unavailable where there is no apt, or no usable source.
    """

    def __init__(self, work, say=print, keep=()):
        if not all(map(shutil.which, ("apt-get", "apt-cache", "dpkg"))):
            raise Unavailable("this system has no apt")
        self.work, self.say, self.keep = Path(work), say, keep
        self.binaries = distribution_suites(machine_entries(), os_release())
        self.base = self.binaries[0]
        self.read = []
        for folder in FOLDERS:
            (self.work / folder).mkdir(parents=True, exist_ok=True)
        architecture = self._output("dpkg", "--print-architecture").strip()
        installed = Path("/var/lib/dpkg/status").read_text(errors="replace")
        self.config = self.work / "apt.conf"
        self.config.write_text(CONFIG.format(architecture=architecture, work=self.work))
        (self.work / "status").write_text(slim_status(installed, architecture))

    def suite(self, name, kind="deb"):
        """Another suite of the mirror that carries this release."""
        return self.base._replace(kind=kind, name=name)

    def use(self, *suites):
        """Read the indexes of these suites too.

        Raises AptFailed if one does not exist, cannot be reached or is not signed.
        """
        new = [suite for suite in suites if suite not in self.read]
        if not new:
            return
        names = ", ".join(suite.name for suite in new)
        self.say(f"{'':11} reading the package lists of {names}")
        stanzas = "\n".join(suite.stanza() for suite in self.read + new)
        (self.work / "sources" / "virtboard.sources").write_text(stanzas)
        self._get("update")
        self.read += new

    def versions(self, package, kind="Packages"):
        """What the suites in use have of a package, newest first: a list of (version, suite name).

        `kind` is Packages or Sources.
        """
        said = self._output("apt-cache", "-c", str(self.config), "madison", package)
        rows = [[field.strip() for field in line.split("|")] for line in said.splitlines()]
        return [
            (version, where.split()[1].split("/")[0])
            for name, version, where in (row for row in rows if len(row) == 3)
            if name == package and where.endswith(kind)
        ]

    def download(self, label, packages, suite):
        """Download packages and the libraries they need that the system has not; the .deb files.

        Raises AptFailed.
        """
        install = ["install", "--yes", "--no-install-recommends", *packages]
        if suite.endswith("-backports"):  # its packages are not preferred unless asked for
            install += ["--target-release", suite]
        planned = re.findall(
            r"^Inst (\S+) (?:\[\S+\] )?\((\S+) .*\[(\w+)\]\)",
            self._get("--simulate", *install),
            re.M,
        )
        if any(package == "libc6" for package, _, _ in planned):
            raise Unavailable(f"{packages[0]} of {suite} needs a newer libc6 than this system's")
        self._get("--download-only", *install, label=label)
        archives = self.work / "cache" / "archives"
        return [archives / f"{p}_{v.replace(':', '%3a')}_{a}.deb" for p, v, a in planned]

    def download_alone(self, label, package):
        """Download one package without anything it depends on; the .deb file."""
        folder = self.work / "alone"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._get("download", package, cwd=folder, label=label)
        return the_one(folder.glob("*.deb"), package)

    def download_source(self, label, package, version):
        """Download a source package; its original tarballs, components' ones included."""
        folder = self.work / "source"
        wanted = ["--download-only", "--only-source", f"{package}={version}"]
        self._get("source", *wanted, cwd=folder, label=label)
        upstream = re.sub(r"^\d+:|-[^-]*$", "", version)
        tarballs = folder.glob(f"{package}_{upstream}.orig*.tar.*")
        return sorted(t for t in tarballs if t.suffix != ".asc")

    def _get(self, *arguments, label="", cwd=None):
        """Run apt-get and return what it printed; with a label, the size is announced."""
        output = []
        with subprocess.Popen(
            ["apt-get", "-c", str(self.config), "-q", *arguments],
            cwd=cwd,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C"},
            pass_fds=self.keep,
        ) as process:
            with Watch(process, self.work, self.say, label) as watch:
                for line in process.stdout:
                    output.append(line)
                    watch.see(line)
        if watch.late:
            minutes = DOWNLOAD_LIMIT // 60
            raise AptFailed(f"apt-get {arguments[0]} took more than {minutes} minutes")
        if process.returncode:
            words = [line[2:].strip() for line in output if line.startswith("E:")]
            words.append(f"apt-get {arguments[0]} ended with status {process.returncode}")
            raise AptFailed(words[0])
        return "".join(output)

    def _output(self, *command):
        return run_limited(command, 120, self.keep).stdout


def the_one(paths, what):
    """The first path. Damaged if there is none, whatever apt-get said."""
    for path in paths:
        return path
    raise Damaged(f"apt-get left no file of {what}")


def run_limited(command, limit, keep=()):
    """Run a command that should take less than `limit` seconds. Raises ToolsError if it hangs."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
            timeout=limit,
            pass_fds=keep,
        )
    except subprocess.TimeoutExpired:
        raise ToolsError(f"{' '.join(command)} took more than {limit} seconds") from None


class Watch:
    """Follows an apt-get: announces the size, says every few seconds how far it is, and ends it
    when it takes too long (`late` is true then)."""

    INTERVAL = 5

    def __init__(self, process, folder, say, label):
        self.process, self.folder, self.say, self.label = process, folder, say, label
        self.total, self.late, self.over = "", False, threading.Event()
        self.thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self):
        self.before = self._size()
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
        self.over.set()
        self.thread.join()

    def see(self, line):
        """Look at a line of apt-get's output; the first size in it is that of the download."""
        found = re.match(r"(?:Need to get |Get:\d+ .*\[)([\d.,]+ [kMG]?B)", line)
        if found and self.label and not self.total:
            self.total = found.group(1)
            self.say(f"{self.label:11} downloading {self.total}")

    def _follow(self):
        end = time.monotonic() + DOWNLOAD_LIMIT
        while not self.over.wait(self.INTERVAL):
            if time.monotonic() > end:
                self.late = True
                self.process.kill()
                return
            size = max(0, self._size() - self.before) / 1e6
            self.say(f"{'':11} {size:.0f} MB" + (f" of {self.total}" if self.total else ""))

    def _size(self):
        size = 0
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with contextlib.suppress(OSError):  # apt renames files as it goes
                    size += os.stat(os.path.join(folder, name)).st_size
        return size


def unpack(debs, folder, keep=()):
    """Unpack .deb files into a new folder with `dpkg -x`.

    Raises Damaged for one that is missing, truncated or corrupt.
    """
    folder.mkdir(parents=True)
    for deb in debs:
        done = run_limited(["dpkg", "-x", str(deb), str(folder)], UNPACK_LIMIT, keep)
        if "No space left" in done.stderr:
            raise ToolsError(f"no space left in {folder}: 2 GB are needed while unpacking")
        if done.returncode:
            words = (done.stderr.strip().splitlines() or ["dpkg failed"])[-1]
            raise Damaged(f"{deb.name} could not be unpacked ({words})")
