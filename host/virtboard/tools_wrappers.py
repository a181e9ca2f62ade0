# SPDX-License-Identifier: MIT
"""The scripts in `.tools/bin`: the same commands, wherever the tools came from.

Each finds `.tools` from its own place, so it works from any directory, through a link, and after
the checkout was moved. What an unpacked program needs from the environment is set for it alone.
"""

import os
import shlex
from pathlib import Path

QEMU = "qemu-system-riscv64"
QEMU32 = "qemu-system-riscv32"
TARGET = "riscv64-unknown-elf-"
PROGRAMS = (
    "gcc cpp ld as ar ranlib nm size strip strings objcopy objdump readelf addr2line gdb".split()
)
PICOLIBC = "lib/picolibc/riscv64-unknown-elf"  # where Debian has it, beside the compiler's bin


def wrapper(command, arguments="", settings=""):
    """The text of a script that becomes `command`, all three given as sh text; $here is .tools."""
    here = 'here=$(readlink -f "$0")\nhere=${here%/bin/*}\n'
    call = " ".join(filter(None, ("exec", command, arguments, '"$@"')))
    return f"#!/bin/sh\n# Written by virtboard.tools.\n{here}{settings}{call}\n"


def place_script(path, text):
    """Write an executable script, unless it is there already just so."""
    same = path.is_file() and not path.is_symlink() and path.read_text(errors="replace") == text
    if same and os.access(path, os.X_OK):
        return
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.chmod(0o755)
    os.replace(new, path)


def library_path(tree, where):
    """A line of sh that lets a tree's programs find its shared libraries; empty if it has none."""
    places = [tree.glob(f"{lib}/*-linux-gnu*/**/lib*.so*") for lib in ("lib", "usr/lib")]
    folders = sorted({path.parent.relative_to(tree) for place in places for path in place})
    path = ":".join(f"{where}/{folder}" for folder in folders)
    return path and f'export LD_LIBRARY_PATH="{path}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'


def both_qemus(tools, program):
    """(script, program) of the QEMUs for 64 and 32 bits, the second if it lies beside the first.

    A script that has no program goes.
    """
    yield tools / "bin" / QEMU, program
    script = tools / "bin" / QEMU32
    sibling = Path(program).with_name(Path(program).name.replace("riscv64", "riscv32"))
    if sibling != Path(program) and sibling.exists():
        yield script, sibling
    else:
        script.unlink(missing_ok=True)


def wrap_qemu(tools, command):
    """Write the wrappers for a QEMU that is installed."""
    for script, program in both_qemus(tools, command):
        place_script(script, wrapper(shlex.quote(str(program))))


def wrap_private_qemu(tools, tree):
    """Write the wrappers for an unpacked QEMU, with its own libraries, data and modules."""
    where = f"$here/{tree.relative_to(tools)}"
    settings = library_path(tree, where)
    for modules in tree.glob("usr/lib/*/qemu"):
        settings += f'export QEMU_MODULE_DIR="{where}/{modules.relative_to(tree)}"\n'
    data = f'-L "{where}/usr/share/qemu"'
    for script, program in both_qemus(tools, tree / "usr" / "bin" / QEMU):
        place_script(script, wrapper(f'"{where}/usr/bin/{program.name}"', data, settings))


def wrap_gcc(tools, gcc, settings=""):
    """Write wrappers for a GCC and its binutils, whatever its own prefix; those it lacks go."""

    def sh(text):
        inside = str(text).replace(f"{tools}/", "$here/")
        return f'"{inside}"' if "$here/" in inside else shlex.quote(inside)

    prefix = str(gcc)[: -len("gcc")]
    flags = " ".join(map(sh, picolibc_flags(tools, gcc)))
    for program in PROGRAMS:
        script = tools / "bin" / (TARGET + program)
        if Path(prefix + program).exists():
            arguments = flags if program in ("gcc", "cpp") else ""
            place_script(script, wrapper(sh(prefix + program), arguments, settings))
        else:
            script.unlink(missing_ok=True)


def picolibc_flags(tools, gcc):
    """The flags with which a GCC finds the picolibc packaged beside it; none without one.

    They do what picolibc's specs file does, but for the start file and linker script that it
    brings along. -B makes GCC choose the multilib folder by itself.
    """
    library = Path(gcc).resolve().parent.parent / PICOLIBC
    if not library.is_dir():
        return []
    # GCC asks for newlib's libgloss in every link; picolibc does without, so this one is empty.
    gloss = tools / "lib" / "libgloss.a"
    gloss.parent.mkdir(exist_ok=True)
    gloss.write_text("!<arch>\n")
    return ["-B", f"{library}/lib/", "-isystem", f"{library}/include", f"-L{gloss.parent}"]
