# SPDX-License-Identifier: MIT
"""virtboard.apt and apt_sources: what the machine's sources say, and how apt-get is followed."""

import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from virtboard import apt, apt_sources
from virtboard.apt_sources import Entry, Unavailable


def test_one_line_sources():
    entries = apt_sources.parse_list("""\
# deb http://old bookworm main
deb http://a/debian bookworm main contrib # a comment
deb [arch=amd64 signed-by=/k.gpg check-valid-until=no] http://b/debian  bookworm-updates main
deb-src http://a/debian bookworm main
deb [trusted=yes] file:/srv/repo ./
""")
    assert entries == [
        Entry("http://a/debian", ("bookworm",), ("main", "contrib")),
        Entry("http://b/debian", ("bookworm-updates",), ("main",), "/k.gpg", "no"),
        Entry("file:/srv/repo", ("./",), ()),
    ]


def test_deb822_sources():
    first, second, third = apt_sources.parse_deb822("""\
Types: deb deb-src
# a comment in between
URIs: http://a/debian http://b/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /k.gpg

Enabled: no
Types: deb
URIs: http://off
Suites: bookworm
Components: main

types: deb
uris: http://c/debian
suites: bookworm-security
components: main
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQ
""")
    assert first == Entry("http://a/debian", ("bookworm", "bookworm-updates"), ("main",), "/k.gpg")
    assert second.uri == "http://b/debian"
    assert third.uri == "http://c/debian"
    assert third.signed_by.splitlines() == ["-----BEGIN PGP PUBLIC KEY BLOCK-----", " .", " mQ"]


def test_both_formats_are_read_in_order(tmp_path):
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb http://one bookworm main\n")
    (tmp_path / "sources.list.d" / "b.list").write_text("deb http://three bookworm main\n")
    (tmp_path / "sources.list.d" / "a.sources").write_text(
        "Types: deb\nURIs: http://two\nSuites: bookworm\nComponents: main\n"
    )
    (tmp_path / "sources.list.d" / "c.list.bak").write_text("deb http://no bookworm main\n")
    uris = [entry.uri for entry in apt_sources.machine_entries(tmp_path)]
    assert uris == ["http://one", "http://two", "http://three"]
    assert apt_sources.machine_entries(tmp_path / "nothing") == []


BOOKWORM = {"ID": "debian", "VERSION_CODENAME": "bookworm"}


def suites(entries, release=BOOKWORM, keyrings=Path("/nonexistent")):
    found = apt_sources.distribution_suites(entries, release, keyrings)
    return [(suite.uri, suite.name, suite.signed_by) for suite in found]


def test_third_parties_are_left_out():
    entries = [
        Entry("http://vendor", ("bookworm",), ("main",), "/usr/share/keyrings/vendor-prod.gpg"),
        Entry("http://docker", ("bookworm",), ("stable",), "/etc/apt/docker-archive-keyring.gpg"),
        Entry("http://cloud", ("cloud-sdk-bookworm",), ("main",)),
        Entry("cdrom:[disc]/", ("bookworm",), ("main",)),
        Entry("http://s", ("bookworm-security",), ("main",), "/k/debian-archive-keyring.gpg"),
        Entry("http://a", ("bookworm", "bookworm-updates", "bookworm-proposed"), ("main",)),
        Entry("http://other", ("bookworm",), ("main",)),
    ]
    assert suites(entries) == [("http://a", "bookworm", ""), ("http://a", "bookworm-updates", "")]
    entries[4] = entries[4]._replace(uri="http://security")
    assert suites(entries)[1][:2] == ("http://security", "bookworm-security")
    with pytest.raises(Unavailable, match="no archive of this system's own release"):
        suites(entries[:4])


def test_the_distributions_keyring_signs(tmp_path):
    (tmp_path / "debian-archive-keyring.gpg").touch()
    entries = [Entry("http://a", ("stable",), ("main", "non-free"), "/k/debian-archive-x.gpg")]
    assert suites(entries, keyrings=tmp_path) == [
        ("http://a", "stable", f"{tmp_path}/debian-archive-keyring.gpg")
    ]
    assert suites(entries) == [("http://a", "stable", "/k/debian-archive-x.gpg")]


def test_ubuntu_and_what_derives_from_it():
    entries = [
        Entry("http://u", ("noble", "noble-updates"), ("main", "restricted")),
        Entry("http://u", ("noble",), ("universe", "multiverse")),
    ]
    release = {"ID": "linuxmint", "VERSION_CODENAME": "wilma", "UBUNTU_CODENAME": "noble"}
    found = apt_sources.distribution_suites(entries, release, Path("/nonexistent"))
    assert [(s.name, s.components) for s in found] == [
        ("noble", ("main",)),
        ("noble", ("universe",)),
        ("noble-updates", ("main",)),
    ]


def test_a_stanza_reads_one_index_only():
    suite = apt_sources.Suite("deb-src", "http://a", "forky", ("main",), "/k.gpg")
    assert suite.stanza().splitlines() == [
        "Types: deb-src",
        "URIs: http://a",
        "Suites: forky",
        "Components: main",
        "Targets: Sources",
        "PDiffs: no",
        "Signed-By: /k.gpg",
    ]


def test_os_release(tmp_path):
    path = tmp_path / "os-release"
    path.write_text('ID=debian\nVERSION_CODENAME="bookworm"\nPRETTY_NAME="Debian GNU/Linux 12"\n')
    assert apt_sources.os_release(path)["VERSION_CODENAME"] == "bookworm"
    assert apt_sources.os_release(tmp_path / "none") == {}


# --- the private apt


def test_status_keeps_what_is_there_without_its_wishes():
    stanza = """\
Package: {name}
Status: {status}
Architecture: {architecture}
Version: 1:2.3-4
Depends: libmissing (= 1)
Conflicts: libfdt1
Description: one
 more
"""
    installed = "install ok installed"
    text = "\n".join(
        stanza.format(name=name, status=status, architecture=architecture)
        for name, status, architecture in (
            ("libc6", installed, "amd64"),
            ("gone", "deinstall ok config-files", "amd64"),
            ("foreign", installed, "i386"),
            ("data", installed, "all"),
            ("qemu-system-common", installed, "amd64"),
        )
    )
    slim = apt.slim_status(text, "amd64")
    assert re.findall("Package: (.*)", slim) == ["libc6", "data"]
    assert "Version: 1:2.3-4" in slim
    assert "Depends" not in slim and "Conflicts" not in slim


class NoProcess:
    def kill(self):
        raise AssertionError("killed")


def test_the_size_is_announced_once(tmp_path):
    lines = []
    with apt.Watch(NoProcess(), tmp_path, lines.append, "gcc") as watch:
        watch.see("Need to get 12.4 MB/70.1 MB of archives.\n")
        watch.see("Get:1 http://a bookworm/main amd64 libfdt1 amd64 1.6.1-4+b1 [19.0 kB]\n")
    assert lines == ["gcc         downloading 12.4 MB"]


def test_progress_is_shown_and_a_hanging_apt_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(apt.Watch, "INTERVAL", 0.01)
    lines, told = [], threading.Event()
    with apt.Watch(NoProcess(), tmp_path, lambda line: (lines.append(line), told.set()), "") as w:
        (tmp_path / "file").write_bytes(b"0" * 2_000_000)
        told.clear()
        assert told.wait(5)
    assert lines[-1].strip() == "2 MB" and not w.late
    monkeypatch.setattr(apt, "DOWNLOAD_LIMIT", 0)
    with subprocess.Popen(["sleep", "60"]) as process:
        with apt.Watch(process, tmp_path, lines.append, "") as watch:
            process.wait(5)
    assert watch.late


def test_a_bad_package_is_damaged(tmp_path):
    if not shutil.which("dpkg"):
        pytest.skip("needs dpkg")
    (tmp_path / "cut.deb").write_bytes(b"!<arch>\n")
    for name in ("cut.deb", "missing.deb"):
        with pytest.raises(apt.Damaged, match=f"{name} could not be unpacked"):
            apt.unpack([tmp_path / name], tmp_path / f"tree of {name}")


def test_a_machine_without_apt(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="this system has no apt"):
        apt.Apt(tmp_path / "apt")
