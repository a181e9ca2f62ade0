# SPDX-License-Identifier: MIT
"""virtboard.rom: folders become ROMFS images, or one line says why not."""

import os

import pytest

from virtboard import VirtboardError, rom

HEADER, DIRECTORY, FILE, VERBATIM = b"\xd2\xcd\x31", 4, 5, 2


def number(data, at):
    """(value, next position) of ROMFS's variable-length number."""
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def entries(data, at, end, prefix=""):
    """{path: content} of the records from `at` to `end`, read as MicroPython's VfsRom does."""
    found = {}
    while at < end:
        kind, at = number(data, at)
        length, at = number(data, at)
        size, name = number(data, at)
        path = prefix + data[name : name + size].decode()
        if kind == DIRECTORY:
            found |= entries(data, name + size, at + length, path + "/")
        elif kind == FILE:
            content, start = number(data, name + size)
            assert content == VERBATIM
            size, start = number(data, start)
            found[path] = data[start : start + size]
        at += length
    return found


def unpack(image):
    assert image.startswith(HEADER)
    length, start = number(image, len(HEADER))
    assert start + length == len(image)
    return entries(image, start, len(image))


def make(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_what_goes_in_comes_out(tmp_path):
    files = {
        "main.py": b"print('hello')\n",
        "lib/a/b.py": b"",
        "lib/c.py": b"# \xc3\xa9\n",
        "voice.wav": bytes(range(256)) * 1000,
    }
    make(tmp_path, files)
    assert unpack(rom.pack(tmp_path)) == files


def test_sources_stay_sources_and_caches_stay_out(tmp_path):
    make(tmp_path, {"main.py": b"1", "__pycache__/main.pyc": b"2", ".git/HEAD": b"3"})
    make(tmp_path, {"lib/__pycache__/x.pyc": b"4", ".config": b"5"})
    assert set(unpack(rom.pack(tmp_path))) == {"main.py", ".config"}


def test_the_same_files_give_the_same_image(tmp_path):
    files = {f"{name}.py": name.encode() for name in "badc"}
    make(tmp_path / "one", files)
    make(tmp_path / "two", dict(reversed(files.items())))
    assert rom.pack(tmp_path / "one") == rom.pack(tmp_path / "two")


def test_an_empty_folder_is_an_empty_image(tmp_path):
    assert unpack(rom.pack(tmp_path)) == {}


def test_links_are_followed_but_not_in_a_circle(tmp_path):
    make(tmp_path, {"a/main.py": b"1", "b/sound.wav": b"2"})
    (tmp_path / "a" / "assets").symlink_to(tmp_path / "b")
    assert set(unpack(rom.pack(tmp_path / "a"))) == {"main.py", "assets/sound.wav"}
    (tmp_path / "b" / "again").symlink_to(tmp_path / "a")
    with pytest.raises(VirtboardError, match="again cannot go into /rom: it links to a folder"):
        rom.pack(tmp_path / "a")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("", "ROM= is empty: name a folder"),
        ("nowhere", "ROM=.*nowhere does not exist: name the folder"),
        ("main.py", "ROM=.*main.py is not a folder: name the folder that holds main.py"),
    ],
)
def test_what_is_no_folder(tmp_path, name, line):
    make(tmp_path, {"main.py": b""})
    with pytest.raises(VirtboardError, match=line):
        rom.pack(name and tmp_path / name)


def test_names_that_cannot_work(tmp_path):
    make(tmp_path, {"größe.py": b""})
    with pytest.raises(VirtboardError, match="its name must be ASCII"):
        rom.pack(tmp_path)


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(VirtboardError, match="pipe cannot go into /rom: it is neither"):
        rom.pack(tmp_path)
    (tmp_path / "pipe").unlink()
    (tmp_path / "dangling").symlink_to("nothing")
    with pytest.raises(VirtboardError, match="dangling cannot go into /rom"):
        rom.pack(tmp_path)


def test_more_than_the_flash_holds(tmp_path):
    make(tmp_path, {"a.wav": b"1"})
    with open(tmp_path / "b.wav", "wb") as file:
        file.truncate(rom.FLASH_BYTES)
    with pytest.raises(VirtboardError, match="larger than the 32 MiB of flash, .*b.wav no longer"):
        rom.pack(tmp_path)
    os.truncate(tmp_path / "b.wav", rom.FLASH_BYTES - 1)  # no room for the names
    with pytest.raises(VirtboardError, match="larger than the 32 MiB"):
        rom.pack(tmp_path)


def test_write_image(tmp_path):
    make(tmp_path / "rom", {"main.py": b"1"})
    image = tmp_path / "rom.img"
    assert rom.write_image(tmp_path / "rom", image) == image.stat().st_size
    assert unpack(image.read_bytes()) == {"main.py": b"1"}
    with pytest.raises(VirtboardError, match="cannot write .*nowhere"):
        rom.write_image(tmp_path / "rom", tmp_path / "nowhere" / "rom.img")
