# SPDX-License-Identifier: MIT
"""mypy finds nothing wrong in stubs/, and in examples/ as an editor sees them with the stubs."""

import subprocess
import sys
from importlib import metadata

import pytest
from virtboard import tools

# As docs/stubs.md says, with the stubs of MicroPython's own modules from the package index.
CONFIG = """
[mypy]
mypy_path = {stubs}:{typings}
custom_typeshed_dir = {typings}
check_untyped_defs = True
disable_error_code = var-annotated, str-bytes-safe
[mypy-_mpy_shed.*,_typeshed.*,machine]
ignore_errors = True
"""


def mypy(folder, *words):
    """What mypy says, and its status."""
    command = [sys.executable, "-m", "mypy", "--cache-dir", folder / "cache"]
    done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=100)
    return done.stdout + done.stderr, done.returncode


def test_the_stubs(tmp_path):
    assert mypy(tmp_path, "--strict", tools.ROOT / "stubs")[1] == 0


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """A folder of all examples under names of their own, as modules of one program."""
    folder = tmp_path_factory.mktemp("examples")
    typings = folder / "typings"
    typings.mkdir()
    for package in ("micropython-rp2-stubs", "micropython-stdlib-stubs"):
        for top in {file.parts[0] for file in metadata.files(package)}:
            (typings / top).symlink_to(metadata.distribution(package).locate_file(top))
    (folder / "mypy.ini").write_text(CONFIG.format(stubs=tools.ROOT / "stubs", typings=typings))
    for path in (tools.ROOT / "examples").glob("*/main.py"):
        (folder / f"{path.parent.name}.py").write_text(path.read_text())
    return folder


def check(folder, *files):
    return mypy(folder, "--config-file", folder / "mypy.ini", *files)


def test_the_examples(examples):
    said, status = check(examples, *examples.glob("*.py"))
    found = len(list(examples.glob("*.py")))
    assert (status, f"no issues found in {found} source files" in said) == (0, True), said
    assert found >= 7


@pytest.mark.parametrize("line, complaint", [
    ("vsnd.open().output(rat=1)", 'Unexpected keyword argument "rat" for "output"'),
    ("vsnd.open().output().write(5)", 'has incompatible type "int"; expected "Buffer"'),
    ("vsnd.S15", 'Module has no attribute "S15"'),
    ("vsnd.open().jacks[0].color", '"Jack" has no attribute "color"; maybe "colour"?'),
    ("import virt; virt.wait()", 'Too few arguments for "wait"'),
    ("import machine; machine.mem31", 'Module has no attribute "mem31"'),
])
def test_a_mistake_is_found(examples, line, complaint):
    wrong = examples / "wrong" / "mistake.py"
    wrong.parent.mkdir(exist_ok=True)
    wrong.write_text(f"import vsnd\n{line}\n")
    said, status = check(examples, wrong)
    assert status == 1 and complaint in said, said
