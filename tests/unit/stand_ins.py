# SPDX-License-Identifier: MIT
"""Shell scripts and small trees that stand in for the tools, for test_tools*.py."""

import shutil
import subprocess
import tarfile
from pathlib import Path

QEMU = """\
echo "called with $*"
case "$*" in
*-version) echo "QEMU emulator version {version} (a stand-in)" ;;
*virtio-sound-device,help) {device} ;;
esac
"""
SOUND = 'echo "  audiodev=<str>"'
GCC = """\
for word; do [ "$word" = -E ] && printf 'LIBRARY "picolibc " "1.8"\\nVERSION "12.2.0"\\n'; done
echo "gcc called with $*"
"""


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def qemu(path, version="10.0.2", device=SOUND):
    return script(path, QEMU.format(version=version, device=device))


def gcc(prefix, text=GCC, picolibc=True):
    for program in ("gcc", "ld", "as"):
        script(Path(f"{prefix}{program}"), text)
    if picolibc:
        (prefix.parent.parent / "lib/picolibc/riscv64-unknown-elf/include").mkdir(parents=True)
    return prefix


def source(folder, version=(1, 26, 1)):
    (folder / "py").mkdir(parents=True)
    parts = zip(("MAJOR", "MINOR", "MICRO"), version)
    text = "".join(f"#define MICROPY_VERSION_{part} {number}\n" for part, number in parts)
    (folder / "py" / "mpconfig.h").write_text(text)
    return folder


def output(*command, **options):
    return subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True, **options
    ).stdout


def tarball(path, top, *names):
    """A tarball whose files lie in the folder `top`."""
    folder = path.parent / "packing" / top
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    with tarfile.open(path, "w:xz") as archive:
        archive.add(folder, top)
    shutil.rmtree(path.parent / "packing")
    return path
