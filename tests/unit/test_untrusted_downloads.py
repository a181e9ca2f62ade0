# SPDX-License-Identifier: MIT
"""Downloads are verified before they are used, and archives stay in their folder."""

import http.server
import io
import re
import shutil
import tarfile
import threading
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_tools_parts import FakeApt
from untrusted import damaged, fuzz

from virtboard import apt, apt_sources, tools, tools_packages
from virtboard.apt_sources import ToolsError
from virtboard.tools_trees import unpack_source, write_stamp

ROOT = Path(__file__).resolve().parents[2]


def tar(*members):
    """The bytes of a tarball; each member is (name, type, what it links to or holds)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind, what in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            if kind == tarfile.REGTYPE:
                member.size = len(what)
                archive.addfile(member, io.BytesIO(what))
            else:
                member.linkname = what
                archive.addfile(member)
    return file.getvalue()


def all_of(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


FILE, LINK, HARD, FIFO, DEVICE = (
    getattr(tarfile, f"{n}TYPE") for n in "REG SYM LNK FIFO CHR".split()
)
LEADING_OUT = [
    [("/tmp/../{out}", FILE, b"x")],
    [("{out}", FILE, b"x")],
    [("m/../../x", FILE, b"x")],
    [("../x", FILE, b"x")],
    [("m/x", LINK, "{out}")],
    [("m/x", LINK, "../../x")],
    [("m/x", LINK, "..//..")],
    [("m/d", LINK, ".."), ("m/d/d", LINK, ".."), ("m/d/d/x", FILE, b"x")],
    [("m/d", LINK, "e"), ("m/d/x", FILE, b"x")],
    [("m/q/r/a", LINK, "../../s"), ("m/q/r/x", LINK, "a/../../..")],
    [("m/x", HARD, "../x")],
    [("m/x", HARD, "{out}")],
    [("m/l", LINK, "f"), ("m/f", FILE, b""), ("m/l", FILE, b"x")],
    [("m/x", FIFO, "")],
    [("m/x", DEVICE, "")],
]


@pytest.mark.parametrize("members", LEADING_OUT, ids=lambda members: members[-1][0])
@pytest.mark.parametrize("filtered", [True, False])
def test_a_tarball_that_leads_out_is_refused(tmp_path, monkeypatch, members, filtered):
    if not filtered:  # older Pythons
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    out = str(tmp_path / "out")
    members = [
        (name.format(out=out), kind, what.format(out=out) if isinstance(what, str) else what)
        for name, kind, what in members
    ]
    path = tmp_path / "m_1.orig.tar"
    path.write_bytes(tar(("m/good", FILE, b"good"), *members))
    with pytest.raises(apt.Damaged, match="m/|x|out"):
        unpack_source([path], tmp_path / "tree", tmp_path / "scratch")
    shutil.rmtree(tmp_path / "scratch")
    assert all_of(tmp_path) == ["m_1.orig.tar"]


def test_links_inside_are_unpacked(tmp_path):
    path = tmp_path / "m_1.orig.tar"
    path.write_bytes(tar(("m/a/f", FILE, b"f"), ("m/l", LINK, "a/f"), ("m/a/h", LINK, "../l")))
    unpack_source([path], tmp_path / "tree", tmp_path / "scratch")
    assert (tmp_path / "tree" / "a" / "h").read_bytes() == b"f"


@fuzz
@given(damaged(tar(("m/a/f", FILE, b"f" * 600), ("m/l", LINK, "a/f"), ("m/h", HARD, "m/a/f"))))
def test_a_damaged_tarball_is_unpacked_inside_or_refused(tmp_path_factory, content):
    base = tmp_path_factory.mktemp("tar")
    path = base / "m_1.orig.tar"
    path.write_bytes(content)
    try:
        unpack_source([path], base / "tree", base / "scratch")
    except (apt.Damaged, OSError) as error:
        assert "\n" not in str(error) and "\\n" not in str(error)
    assert {each.name for each in base.iterdir()} <= {"m_1.orig.tar", "tree", "scratch"}
    shutil.rmtree(base)


def deb(*members):
    """The bytes of a Debian package with these files."""
    control = b"Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n"
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar": tar(("./control", FILE, control)),
        "data.tar": tar(*members),
    }
    data = b"!<arch>\n"
    for name, part in parts.items():
        data += f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(part):<10}`\n".encode()
        data += part + b"\n" * (len(part) % 2)
    return data


@pytest.mark.skipif(not shutil.which("dpkg"), reason="this system has no dpkg")
@pytest.mark.parametrize("members", LEADING_OUT[:8], ids=lambda members: members[-1][0])
def test_a_package_that_leads_out_writes_nothing_there(tmp_path, members):
    out = str(tmp_path / "out")
    members = [
        (name.format(out=out), kind, what.format(out=out) if isinstance(what, str) else what)
        for name, kind, what in members
    ]
    path = tmp_path / "x.deb"
    path.write_bytes(deb(("./good", FILE, b"good"), *members))
    try:
        apt.unpack([path], tmp_path / "tree")
    except apt.Damaged as error:
        assert "x.deb could not be unpacked" in str(error)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["tree", "x.deb"]
    assert (tmp_path / "tree" / "good").read_bytes() == b"good"


@pytest.mark.skipif(not shutil.which("dpkg"), reason="this system has no dpkg")
def test_a_package_that_is_cut_is_damaged(tmp_path):
    whole = deb(("./good", FILE, b"good" * 1000))
    for size in (0, 7, 60, 200, len(whole) - 3000):
        path = tmp_path / f"{size}.deb"
        path.write_bytes(whole[:size])
        with pytest.raises(apt.Damaged, match=f"{size}.deb could not be unpacked"):
            apt.unpack([path], tmp_path / f"tree{size}")


def test_what_fails_leaves_nothing_and_keeps_what_was_there(tmp_path, monkeypatch):
    monkeypatch.setattr(tools_packages, "Apt", FakeApt)
    monkeypatch.setattr(tools, "check_host", lambda root: None)
    lines = []

    def half(packages, folder, version=None):
        (folder / "half").mkdir(parents=True)
        raise apt.Damaged("m.tar has the SHA-256 1; it should be 2")

    for name in ("qemu", "gcc", "micropython"):
        monkeypatch.setattr(tools_packages.Packages, name, half)
    shop = tools.Workshop(tmp_path, lines.append, {"PATH": "", "TOOLS": "private"})
    old = shop.tools / "debian" / "qemu"
    old.mkdir(parents=True)
    write_stamp(old, origin="before")
    with pytest.raises(ToolsError, match="it should be 2"):
        shop.run()
    left = [name for name in all_of(shop.tools) if not name.startswith("bin/")]
    assert left == ["bin", "debian", "debian/qemu", "debian/qemu/.stamp", "lock"]
    assert sum("downloading again" in line for line in lines) == 1


def test_a_source_that_apt_did_not_leave_is_damaged(tmp_path, monkeypatch):
    monkeypatch.setattr(FakeApt, "offers", {"micropython": [("1.26.1+ds-1", "forky")]})
    monkeypatch.setattr(FakeApt, "download_source", lambda *_: [], raising=False)
    packages = tools_packages.Packages(tmp_path / ".tools")
    packages.apt = FakeApt(tmp_path / ".tools" / "apt")
    with pytest.raises(apt.Damaged, match=r"no file of 1.26.1\+ds-1"):
        packages.micropython(tmp_path / "tree", "1.26.1")


# The real apt, and an archive that nobody signed


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; what is asked for below /moved/ is elsewhere."""

    def do_GET(self):
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved"))
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def archive(tmp_path):
    """The address of an archive with a release that is not signed."""
    release = tmp_path / "archive" / "dists" / "bookworm"
    (release / "main" / "binary-all").mkdir(parents=True)
    (release / "main" / "binary-all" / "Packages").write_text("")
    (release / "Release").write_text("Suite: bookworm\nCodename: bookworm\nComponents: main\n")
    handler = partial(Quiet, directory=tmp_path / "archive")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.skipif(not shutil.which("apt-get"), reason="this system has no apt")
@pytest.mark.parametrize("place", ["", "/moved"])
def test_an_archive_that_is_not_signed_is_refused(tmp_path, monkeypatch, archive, place):
    # A user's own source may say that it needs no signature; that is not taken over.
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] {archive}{place} bookworm main\n")
    (tmp_path / "apt.conf").write_text('Acquire::http::Proxy::127.0.0.1 "DIRECT";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    entries = apt_sources.machine_entries(tmp_path)
    monkeypatch.setattr(apt, "machine_entries", lambda: entries)
    release = {"ID": "debian", "VERSION_CODENAME": "bookworm"}
    monkeypatch.setattr(apt, "os_release", lambda: release)
    private = apt.Apt(tmp_path / "apt", lambda line: None)
    with pytest.raises(apt.AptFailed, match="is not signed"):
        private.use(*private.binaries)
    assert private.read == []


# Texts that apt and dpkg keep


@fuzz
@given(st.text(st.sampled_from("deb [] signed-by=\n\t#:Packge Status install ok/"), max_size=200))
def test_texts_of_apt_are_read_whatever_they_hold(text):
    apt_sources.parse_list("deb " + text)
    apt_sources.parse_deb822("Types: deb\n" + text)
    apt.slim_status("Status: install ok installed\nArchitecture: all\n" + text, "all")


# Python packages


def test_every_python_package_has_a_hash():
    text = (ROOT / "host" / "requirements.lock").read_text()
    lines = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", " ").splitlines()
    locked = {re.split(r"[ ;]", line)[0] for line in lines}
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}( |$)", line) for line in lines)
    assert all("==" in each for each in locked)
    wanted = (ROOT / "host" / "requirements.txt").read_text().splitlines()
    assert {line for line in wanted if not line.startswith("#")} <= locked
    assert "install --require-hashes -r $<" in (ROOT / "Makefile").read_text()
