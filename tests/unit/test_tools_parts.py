# SPDX-License-Identifier: MIT
"""virtboard.tools_checks, tools_packages, tools_trees and tools_wrappers, each by itself."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from stand_ins import gcc, output, qemu, script, source, tarball

from virtboard import apt, apt_sources, tools_checks, tools_packages
from virtboard.apt_sources import ToolsError, Unavailable
from virtboard.tools_trees import add_facts, read_stamp, swap, unpack_source, verify, write_stamp
from virtboard.tools_wrappers import TARGET, library_path, picolibc_flags, place_script, wrapper


# --- checks


def test_qemu_is_checked(tmp_path):
    assert tools_checks.check_qemu(qemu(tmp_path / "q")) == "10.0.2"
    assert tools_checks.check_qemu(qemu(tmp_path / "q", "8.2.0")) == "8.2.0"
    for path, words in (
        (qemu(tmp_path / "q", "7.2.19"), "is QEMU 7.2.19; 8.2 or newer is needed"),
        (qemu(tmp_path / "q1", device="exit 1"), "was built without virtio-sound-device"),
        (script(tmp_path / "q2", "echo no library >&2; exit 127"), "works here: no library"),
        (tmp_path / "none", "is no QEMU that works here"),
    ):
        with pytest.raises(ToolsError, match=words):
            tools_checks.check_qemu(path)


def test_gcc_is_checked(tmp_path):
    prefix = gcc(tmp_path / "bin" / TARGET)
    assert tools_checks.check_gcc(f"{prefix}gcc") == ("12.2.0", "picolibc 1.8")
    script(tmp_path / "gcc", 'echo "math.h: No such file" >&2; exit 1')
    with pytest.raises(ToolsError, match="math.h: No such file.*picolibc"):
        tools_checks.check_gcc(tmp_path / "gcc")


def test_micropython_is_checked(tmp_path):
    assert tools_checks.check_micropython(source(tmp_path / "a")) == "1.26.1"
    assert tools_checks.check_micropython(source(tmp_path / "b", (1, 25, 0))) == "1.25.0"
    with pytest.raises(ToolsError, match="is MicroPython 1.24.1; it should be .* 1.25 or newer"):
        tools_checks.check_micropython(source(tmp_path / "c", (1, 24, 1)))
    with pytest.raises(ToolsError, match="has no py/mpconfig.h"):
        tools_checks.check_micropython(tmp_path)
    (tmp_path / "c" / "py" / "mpconfig.h").write_text("")
    with pytest.raises(ToolsError, match="tells no version"):
        tools_checks.check_micropython(tmp_path / "c")


def test_each_missing_prerequisite_has_its_line():
    with pytest.raises(ToolsError) as caught:
        tools_checks.check_host("/a path", which=lambda program: None)
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines] == ["the", "make", "the"]
    assert "has a space" in lines[0] and "sudo apt-get install make" in lines[1]


# --- packages


class FakeApt:
    """The private apt as `Packages` uses it: what it offers, and files made up on the spot."""

    offers = {}

    def __init__(self, work, say=print, keep=()):
        self.work, self.read = Path(work), []
        self.base = apt_sources.Suite("deb", "mirror", "bookworm", ("main",))
        self.binaries = [self.base]
        self.work.mkdir(parents=True, exist_ok=True)

    def suite(self, name, kind="deb"):
        return self.base._replace(name=name, kind=kind)

    def use(self, *suites):
        for suite in suites:
            if suite.name not in ("bookworm", "bookworm-backports", "forky", "trixie"):
                raise apt.AptFailed(f"{suite.name} is no suite")
            self.read.append(suite.name)

    def versions(self, package, kind="Packages"):
        return [(v, s) for v, s in self.offers.get(package, ()) if s in self.read]


def test_what_comes_damaged_is_downloaded_once_more(tmp_path, monkeypatch):
    monkeypatch.setattr(tools_packages, "Apt", FakeApt)
    apts, lines = [], []
    packages = tools_packages.Packages(tmp_path / ".tools", lines.append)

    def get(folder):
        apts.append(packages.apt)
        folder.mkdir(parents=True)
        if len(apts) != 2:
            raise apt.Damaged("x.deb could not be unpacked")

    def always(folder):
        raise apt.Damaged("x.deb could not be unpacked")

    packages.fetch(get, tmp_path / ".tools" / "tree")
    assert lines == [f"{'':11} x.deb could not be unpacked: downloading again"]
    assert len(apts) == 2 and apts[0] is not apts[1]
    with pytest.raises(apt.Damaged):
        packages.fetch(always, tmp_path / ".tools" / "tree")


@pytest.mark.parametrize(
    "version, expected",
    [
        ("1:10.0.2+ds-2+deb13u1~bpo12+1", (10, 0, 2)),
        ("1.26.1+ds-1", (1, 26, 1)),
        ("12.2.0-14+11+b2", (12, 2, 0)),
        ("19", (19,)),
        ("git1", ()),
    ],
)
def test_numbers(version, expected):
    assert tools_packages.numbers(version) == expected


def test_backports_are_asked_when_the_release_is_too_old(tmp_path, monkeypatch):
    packages = tools_packages.Packages(tmp_path / ".tools")
    packages.apt = FakeApt(tmp_path / ".tools" / "apt")
    old, new = ("1:7.2+dfsg-7", "bookworm"), ("1:10.0.2+ds-2~bpo12+1", "bookworm-backports")
    monkeypatch.setattr(FakeApt, "offers", {"qemu-system-misc": [new, old]})
    assert packages._offer(["qemu-system-misc"]) == ("qemu-system-misc", "bookworm")
    assert packages.apt.read == ["bookworm"]
    assert packages._offer(["qemu-system-riscv", "qemu-system-misc"], (8, 2))[1] == new[1]
    with pytest.raises(Unavailable, match="bookworm has no qemu-system-misc 11.0 or newer"):
        packages._offer(["qemu-system-misc"], (11, 0))


def test_the_source_is_checked_by_its_hash(tmp_path, monkeypatch):
    path = tarball(tmp_path / "micropython_9+ds.orig.tar.xz", "micropython-9", "py/mpconfig.h")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(FakeApt, "offers", {"micropython": [("9+ds-1", "forky")]})
    monkeypatch.setattr(FakeApt, "download_source", lambda *_: [path], raising=False)
    packages = tools_packages.Packages(tmp_path / ".tools")
    packages.apt = FakeApt(tmp_path / ".tools" / "apt")
    monkeypatch.setitem(tools_packages.MICROPYTHON, "9", (sha256, "forky"))
    packages.micropython(tmp_path / "tree", "9")
    assert read_stamp(tmp_path / "tree")["origin"] == "forky"
    monkeypatch.setitem(tools_packages.MICROPYTHON, "9", ("00", "forky"))
    with pytest.raises(apt.Damaged, match="it should be 00"):
        packages.micropython(tmp_path / "tree", "9")
    monkeypatch.setitem(tools_packages.MICROPYTHON, "8", (sha256, "buzz"))
    with pytest.raises(Unavailable, match=r"no MicroPython 8 \(buzz is no suite\)"):
        packages.micropython(tmp_path / "tree", "8")


# --- trees


def test_a_stamp_tells_a_whole_tree(tmp_path):
    tree = source(tmp_path / "tree")
    (tree / "empty").touch()
    assert read_stamp(tree) is None
    write_stamp(tree, origin="forky")
    add_facts(tree, instead_of="1.27.0")
    stamp = read_stamp(tree)
    assert (stamp["origin"], stamp["instead_of"]) == ("forky", "1.27.0")
    (tree / "py" / "mpconfig.h").write_text("edited by the user")
    assert read_stamp(tree)
    (tree / "py" / "mpconfig.h").write_text("")
    assert read_stamp(tree) is None
    (tree / "py" / "mpconfig.h").unlink()
    assert read_stamp(tree) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"layout": 0, "files": {}}'])
def test_a_broken_stamp_is_none(tmp_path, text):
    (tmp_path / ".stamp").write_text(text)
    assert read_stamp(tmp_path) is None


def test_swap(tmp_path):
    for name in ("new", "scratch"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    swap(tmp_path / "new", tmp_path / "a" / "tree", tmp_path / "scratch")
    (tmp_path / "new").mkdir()
    swap(tmp_path / "new", tmp_path / "a" / "tree", tmp_path / "scratch")
    assert [p.name for p in tmp_path.rglob("*")] == ["a", "tree"]


def test_a_wrong_hash_is_damaged(tmp_path):
    path = tmp_path / "x.tar"
    path.write_bytes(b"abc")
    verify(path, hashlib.sha256(b"abc").hexdigest())
    with pytest.raises(apt.Damaged, match="x.tar has the SHA-256 ba7816bf.*; it should be 00"):
        verify(path, "00")


def test_sources_are_unpacked_with_their_components(tmp_path):
    main = tarball(tmp_path / "m_1.orig.tar.xz", "m-1", "py/mpconfig.h", "lib/readme")
    part = tarball(tmp_path / "m_1.orig-docs.tar.xz", "docs-7", "index.rst")
    unpack_source([part, main], tmp_path / "tree", tmp_path / "scratch")
    found = sorted(str(p.relative_to(tmp_path / "tree")) for p in (tmp_path / "tree").rglob("*.*"))
    assert found == ["docs/index.rst", "py/mpconfig.h"]
    main.write_bytes(main.read_bytes()[:100])
    with pytest.raises(apt.Damaged, match="m_1.orig.tar.xz could not be unpacked"):
        unpack_source([main], tmp_path / "tree", tmp_path / "scratch")


# --- wrappers


def test_a_wrapper_works_from_anywhere_and_after_a_move(tmp_path):
    tools_dir = tmp_path / "one two" / ".tools"
    script(tools_dir / "x" / "tool", 'echo "$ONLY_HERE:$*"')
    place_script_at = tools_dir / "bin" / "tool"
    place_script_at.parent.mkdir()
    place_script(place_script_at, wrapper('"$here/x/tool"', "-a", "export ONLY_HERE=yes\n"))
    (tmp_path / "link").symlink_to(place_script_at)
    path = f"{tools_dir / 'bin'}:/usr/bin:/bin"
    assert output(place_script_at, "b c", cwd="/") == "yes:-a b c\n"
    assert output(tmp_path / "link", "d", cwd="/") == "yes:-a d\n"
    assert output("sh", "-c", "tool e", cwd="/", env={"PATH": path}) == "yes:-a e\n"
    relative = {"PATH": ".tools/bin:/usr/bin:/bin"}
    assert output("sh", "-c", "tool", cwd=tools_dir.parent, env=relative) == "yes:-a\n"
    shutil.move(tmp_path / "one two", tmp_path / "three")
    assert output(tmp_path / "three/.tools/bin/tool", cwd="/") == "yes:-a\n"


def test_a_script_is_written_only_if_it_differs(tmp_path):
    path = tmp_path / "tool"
    place_script(path, "#!/bin/sh\n")
    first = path.stat()
    place_script(path, "#!/bin/sh\n")
    assert path.stat().st_ino == first.st_ino
    path.chmod(0o644)
    place_script(path, "#!/bin/sh\n")
    assert os.access(path, os.X_OK)


def test_the_library_path_names_folders_with_libraries(tmp_path):
    assert library_path(tmp_path, "$here/x") == ""
    for name in ("lib/x86_64-linux-gnu/libb.so.1", "usr/lib/x86_64-linux-gnu/pulse/liba-16.so"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    folders = "$here/x/lib/x86_64-linux-gnu:$here/x/usr/lib/x86_64-linux-gnu/pulse"
    assert library_path(tmp_path, "$here/x") == (
        f'export LD_LIBRARY_PATH="{folders}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
    )


def test_picolibc_is_found_beside_its_gcc(tmp_path):
    (tmp_path / ".tools").mkdir()
    with_one = gcc(tmp_path / "usr" / "bin" / TARGET)
    flags = picolibc_flags(tmp_path / ".tools", f"{with_one}gcc")
    library = tmp_path / "usr/lib/picolibc/riscv64-unknown-elf"
    assert flags == [
        *("-B", f"{library}/lib/", "-isystem", f"{library}/include"),
        f"-L{tmp_path}/.tools/lib",
    ]
    assert (tmp_path / ".tools/lib/libgloss.a").read_bytes() == b"!<arch>\n"
    newlib = gcc(tmp_path / "opt" / "bin" / TARGET, picolibc=False)
    assert picolibc_flags(tmp_path / ".tools", f"{newlib}gcc") == []
