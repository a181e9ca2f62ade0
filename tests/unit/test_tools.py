# SPDX-License-Identifier: MIT
"""virtboard.tools without a network: scripts stand in for the tools, trees for the packages."""

import fcntl
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from stand_ins import gcc, output, qemu, script, source

from virtboard import tools, tools_packages
from virtboard.apt_sources import ToolsError, Unavailable
from virtboard.tools_trees import add_facts, write_stamp
from virtboard.tools_wrappers import TARGET


@pytest.fixture
def root(tmp_path):
    (tmp_path / "checkout").mkdir()
    return tmp_path / "checkout"


@pytest.fixture
def shop(root, monkeypatch):
    """Runs tools in `root` with this environment, apt being out of bounds; returns its lines."""

    def run(version=None, **environ):
        lines = []
        environ = {"PATH": "/usr/bin:/bin", **{k: str(v) for k, v in environ.items()}}
        tools.Workshop(root, lambda line: lines.append(str(line)), environ).run(version)
        return lines

    def no_apt(*_):
        raise Unavailable("this system has no apt")

    monkeypatch.setattr(tools, "check_host", lambda root: None)
    monkeypatch.setattr(tools_packages, "Apt", no_apt)
    monkeypatch.setattr(tools, "RECORDINGS", root / "no recordings")
    return run


@pytest.fixture
def given(tmp_path):
    """Settings that name a good stand-in for each tool."""
    return {
        "QEMU": qemu(tmp_path / "given" / "qemu"),
        "CROSS_COMPILE": gcc(tmp_path / "given" / "bin" / "riscv-none-elf-"),
        "MICROPY_DIR": source(tmp_path / "given" / "micropython"),
    }


# --- the order


def test_what_the_user_names_comes_first(shop, root, given, tmp_path):
    qemu(tmp_path / "path" / "qemu-system-riscv64", "9.0.0")
    lines = shop(**given, PATH=f"{tmp_path}/path:/usr/bin:/bin", TOOLS="private")
    assert lines[0] == f"qemu        10.0.2   {given['QEMU']}"
    assert lines[1] == f"gcc         12.2.0   {given['CROSS_COMPILE']}gcc, picolibc 1.8"
    assert lines[2] == f"micropython 1.26.1   {given['MICROPY_DIR']}"
    assert lines[3].startswith("sounds      none     optional")
    bin = root / ".tools" / "bin"
    assert "called with x" in output(bin / "qemu-system-riscv64", "x", cwd="/")
    assert "gcc called with -B" in output(bin / f"{TARGET}gcc", "y", cwd="/")
    assert output(bin / f"{TARGET}ld", "z", cwd="/") == "gcc called with z\n"
    assert sorted(p.name[len(TARGET) :] for p in bin.glob(f"{TARGET}*")) == ["as", "gcc", "ld"]
    assert (root / ".tools/micropython/py/mpconfig.h").is_file()
    assert not (root / ".tools/tmp").exists()


def test_path_comes_next_if_it_will_do(shop, root, given, tmp_path):
    qemu(tmp_path / "old" / "qemu-system-riscv64", "7.2.0")
    path = f"{tmp_path}/old:/usr/bin:/bin"
    with pytest.raises(Unavailable):
        shop(PATH=path, CROSS_COMPILE=given["CROSS_COMPILE"], MICROPY_DIR=given["MICROPY_DIR"])
    qemu(tmp_path / "old" / "qemu-system-riscv64", "9.0.0")
    gcc(tmp_path / "old" / "riscv64-elf-")
    lines = shop(PATH=path, MICROPY_DIR=given["MICROPY_DIR"])
    assert lines[0] == f"qemu        9.0.0    {tmp_path}/old/qemu-system-riscv64"
    assert lines[1].startswith(f"gcc         12.2.0   {tmp_path}/old/riscv64-elf-gcc")
    assert (root / ".tools/bin" / f"{TARGET}gcc").is_file()
    with pytest.raises(Unavailable):
        shop(PATH=path, MICROPY_DIR=given["MICROPY_DIR"], TOOLS="private")


def test_our_own_wrappers_are_not_taken_for_tools(shop, root, given):
    shop(**given)
    bin = root / ".tools" / "bin"
    settings = {"MICROPY_DIR": root / ".tools/micropython", "PATH": f"{bin}:/usr/bin:/bin"}
    for own in (
        {"QEMU": bin / "qemu-system-riscv64"},
        {"QEMU": "qemu-system-riscv64"},
        {"QEMU": given["QEMU"], "CROSS_COMPILE": bin / TARGET},
        {"QEMU": given["QEMU"], "CROSS_COMPILE": given["CROSS_COMPILE"]},
    ):
        with pytest.raises(Unavailable):
            shop(**{**settings, **own})


@pytest.mark.parametrize(
    "variable, value, words",
    [
        ("QEMU", "/nonexistent", "there is no program /nonexistent; it should be the path of"),
        ("QEMU", "/bin/echo", "/bin/echo is no QEMU that works here"),
        ("CROSS_COMPILE", "/opt/x/", "there is no program /opt/x/gcc; it should be a prefix"),
        ("MICROPY_DIR", "/bin", "has no py/mpconfig.h; it should be the top of MicroPython's"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(shop, root, given, variable, value, words):
    with pytest.raises(ToolsError, match=f"^{variable}={value}: .*{words}") as caught:
        shop(**{**given, variable: value})
    assert "\n" not in str(caught.value)
    assert list((root / ".tools/bin").iterdir()) == []


def test_an_unknown_version_is_one_clear_line(shop, given):
    with pytest.raises(ToolsError, match="MicroPython 1.24.0 cannot be fetched; .* MICROPY_DIR="):
        shop(**given, MICROPY_VERSION="1.24.0")


def test_recordings_of_the_system_are_copied(shop, root, given, monkeypatch):
    recordings = root / "recordings"
    recordings.mkdir()
    (recordings / "Noise.wav").write_text("RIFF")
    monkeypatch.setattr(tools, "RECORDINGS", recordings)
    assert shop(**given)[3] == f"sounds      1 files  .tools/sounds ({recordings})"
    assert (root / ".tools/sounds/Noise.wav").read_text() == "RIFF"
    (root / ".tools/sounds/Noise.wav").unlink()
    assert "1 files" in shop(**given)[3]


# --- packages


@pytest.fixture
def archive(shop, monkeypatch):
    """An archive whose packages unpack into stand-ins; lists what is fetched."""
    fetched = []

    def fill_qemu(self, folder):
        fetched.append("qemu")
        qemu(folder / "usr/bin/qemu-system-riscv64")
        qemu(folder / "usr/bin/qemu-system-riscv32")
        (folder / "usr/lib/x86_64-linux-gnu/qemu").mkdir(parents=True)
        write_stamp(folder, origin="bookworm-backports")

    def fill_gcc(self, folder):
        fetched.append("gcc")
        gcc(folder / "usr/bin" / TARGET)
        write_stamp(folder, origin="bookworm")

    def fill_sounds(self, folder):
        folder.mkdir()
        (folder / "Noise.wav").write_text("RIFF")
        write_stamp(folder, origin="alsa-utils, bookworm")

    def fill_micropython(self, folder, version):
        fetched.append(version)
        if version not in archive.versions:
            raise Unavailable(f"the archive has no MicroPython {version}")
        source(folder, version.split("."))
        write_stamp(folder, origin="forky")

    def archive():
        done = fetched[:]
        fetched.clear()
        return done

    archive.versions = ["1.26.1", "1.25.0"]
    monkeypatch.setattr(tools_packages, "Apt", lambda *_: "never used")
    monkeypatch.setattr(tools_packages.Packages, "qemu", fill_qemu)
    monkeypatch.setattr(tools_packages.Packages, "gcc", fill_gcc)
    monkeypatch.setattr(tools_packages.Packages, "sounds", fill_sounds)
    monkeypatch.setattr(tools_packages.Packages, "micropython", fill_micropython)
    return archive


def test_packages_come_last_and_once(shop, root, archive):
    first = shop()
    assert archive() == ["qemu", "gcc", "1.26.1"]
    assert first == [
        "qemu        10.0.2   .tools/debian/qemu (bookworm-backports)",
        "gcc         12.2.0   .tools/debian/gcc (bookworm), picolibc 1.8",
        "micropython 1.26.1   .tools/micropython-1.26.1 (forky)",
        "sounds      1 files  .tools/sounds (alsa-utils, bookworm)",
    ]
    assert os.readlink(root / ".tools/micropython") == "micropython-1.26.1"
    assert not (root / ".tools/apt").exists()
    text = (root / ".tools/bin/qemu-system-riscv64").read_text()
    assert str(root) not in text
    assert 'QEMU_MODULE_DIR="$here/debian/qemu/usr/lib/x86_64-linux-gnu/qemu"' in text
    assert str(root) not in (root / ".tools/bin" / f"{TARGET}gcc").read_text()
    called = output(root / ".tools/bin/qemu-system-riscv64", "-x", cwd="/")
    assert f"called with -L {root}/.tools/debian/qemu/usr/share/qemu -x" in called
    assert shop() == first
    assert archive() == []


def test_the_qemu_for_32_bits_lies_beside_that_for_64(shop, root, given, tmp_path, archive):
    script = root / ".tools/bin/qemu-system-riscv32"
    shop()
    called = output(script, "-x", cwd="/")
    assert f"called with -L {root}/.tools/debian/qemu/usr/share/qemu -x" in called
    # A tree of earlier times, which was unpacked without it.
    archive()
    (root / ".tools/debian/qemu/usr/bin/qemu-system-riscv32").unlink()
    stamp = root / ".tools/debian/qemu/.stamp"
    stamp.write_text(stamp.read_text().replace('"usr/bin/qemu-system-riscv32": true, ', ""))
    assert any("qemu stopped working (it has no qemu-system-riscv32)" in line for line in shop())
    assert archive() == ["qemu"]
    # The user's own may have it or not.
    shop(**given)
    assert not script.exists()
    named = qemu(tmp_path / "named" / "qemu-system-riscv64")
    qemu(tmp_path / "named" / "qemu-system-riscv32", "9.9.9")
    shop(**{**given, "QEMU": named})
    assert "9.9.9" in output(script, "-version", cwd="/")


def test_what_broke_is_repaired(shop, root, archive):
    shop()
    archive()
    (root / ".tools/bin/qemu-system-riscv64").unlink()
    (root / ".tools/bin" / f"{TARGET}ld").write_text("nonsense")
    (root / ".tools/micropython").unlink()
    shop()
    assert archive() == []
    assert output(root / ".tools/bin" / f"{TARGET}ld", "v") == "gcc called with v\n"
    (root / ".tools/micropython/py/mpconfig.h").unlink()
    (root / ".tools/debian/gcc/.stamp").unlink()
    shop()
    assert archive() == ["gcc", "1.26.1"]
    script(root / ".tools/debian/qemu/usr/bin/qemu-system-riscv64", "exit 127")
    assert any("qemu stopped working" in line for line in shop())
    assert archive() == ["qemu"]


def test_packages_that_do_not_work_are_an_error(shop, archive, monkeypatch):
    def fill(self, folder):
        qemu(folder / "usr/bin/qemu-system-riscv64", "7.2.0")
        write_stamp(folder, origin="bookworm")

    monkeypatch.setattr(tools_packages.Packages, "qemu", fill)
    with pytest.raises(ToolsError, match="the unpacked qemu does not work here: .*7.2.0"):
        shop()


def test_a_moved_checkout_needs_nothing(shop, root, archive, tmp_path):
    shop()
    archive()
    shutil.move(root, tmp_path / "moved")
    lines = []
    tools.Workshop(tmp_path / "moved", lines.append, {"PATH": "/usr/bin:/bin"}).run()
    assert archive() == []
    assert "picolibc" in output(tmp_path / "moved/.tools/bin" / f"{TARGET}gcc", cwd="/")


def test_another_version_lies_beside_the_default(shop, root, archive):
    shop("1.25.0")
    assert archive() == ["qemu", "gcc", "1.25.0", "1.26.1"]
    assert os.readlink(root / ".tools/micropython") == "micropython-1.26.1"
    assert (root / ".tools/micropython-1.25.0/py/mpconfig.h").is_file()
    shop(MICROPY_VERSION="1.25.0")
    shop(MICROPY_VERSION="1.26.1")
    assert archive() == []


def test_the_fallback_stays_until_the_default_changes(shop, root, archive):
    archive.versions = ["1.25.0"]
    assert any(line.endswith("has no MicroPython 1.26.1: taking 1.25.0") for line in shop())
    assert archive() == ["qemu", "gcc", "1.26.1", "1.25.0"]
    shop()
    assert archive() == []
    assert os.readlink(root / ".tools/micropython") == "micropython-1.25.0"
    add_facts(root / ".tools/micropython-1.25.0", instead_of="1.20.0")
    archive.versions = ["1.26.1"]
    shop()
    assert archive() == ["1.26.1"]


# --- the command


def test_the_clear_message_names_tools_variables_and_systems(root, monkeypatch, capsys):
    def run(self, version):
        raise Unavailable("this system has no apt")

    monkeypatch.setattr(tools.Workshop, "run", run)
    assert tools.main(["--root", str(root)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("this system has no apt\n")
    for word in ("QEMU=", "CROSS_COMPILE=", "MICROPY_DIR=", "Debian", "Fedora", "Arch", "macOS"):
        assert word in err


@pytest.mark.parametrize(
    "problem, status, text",
    [
        (ToolsError("one line"), 1, "one line\n"),
        (KeyboardInterrupt(), 130, "interrupted; run this again to go on\n"),
        (OSError(28, "No space left on device", "/x"), 1, "/x: No space left on device\n"),
    ],
)
def test_errors_are_one_line(root, monkeypatch, capsys, problem, status, text):
    def run(self, version):
        raise problem

    monkeypatch.setattr(tools.Workshop, "run", run)
    assert tools.main(["--root", str(root)]) == status
    assert capsys.readouterr().err == text


def test_a_second_run_waits(root, capsys):
    lines = []
    first, second = tools.Workshop(root, lines.append), tools.Workshop(root, lines.append)
    inside = threading.Event()

    def wait():
        with second.locked():
            inside.set()

    with first.locked():
        thread = threading.Thread(target=wait)
        thread.start()
        assert not inside.wait(0.5)
    assert inside.wait(5)
    thread.join()
    assert lines == ["waiting for another run in this checkout to finish"]


def test_a_child_of_a_killed_run_holds_the_lock(root):
    with tools.Workshop(root).locked() as lock:
        child = subprocess.Popen(["sleep", "60"], pass_fds=(lock,))
    with child, open(root / ".tools/lock") as again:
        with pytest.raises(BlockingIOError):
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
        child.kill()
        child.wait()
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_wait_ends(root, monkeypatch):
    monkeypatch.setattr(tools, "LOCK_LIMIT", 0)
    with tools.Workshop(root).locked(), pytest.raises(ToolsError, match="is still locked"):
        with tools.Workshop(root, lambda line: None).locked():
            pass


def test_a_checkout_that_cannot_be_written(root):
    (root / ".tools").write_text("in the way")
    with pytest.raises(ToolsError, match="cannot write to .*; the checkout should be writable"):
        with tools.Workshop(root).locked():
            pass


def test_it_runs_from_a_bare_python():
    host = Path(tools.__file__).resolve().parents[1]
    command = [sys.executable, "-S", "-E", "-m", "virtboard.tools", "--help"]
    assert "--micropython" in output(*command, cwd=host)
    assert tools.TOOLS == tools.ROOT / ".tools" and (tools.ROOT / "host") == host
