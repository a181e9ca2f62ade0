# SPDX-License-Identifier: MIT
"""Files that somebody else made: WAV files, recordings, ROM images, folders; docs/security.md."""

import importlib.util
import io
import os
import socket
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_rom import unpack
from untrusted import BAD_ROMS, GOOD_ROMS, damaged, fuzz, little_memory, wav

from virtboard import VirtboardError, disk, files, recording, rom, romfs
from virtboard.__main__ import main
from virtboard.files import read_file
from virtboard.pytest_plugin import write_rom
from virtboard.qemu import Machine

MODULES = Path(__file__).resolve().parents[2] / "modules"
spec = importlib.util.spec_from_file_location("wave_of_the_board", MODULES / "wave.py")
wave = importlib.util.module_from_spec(spec)
spec.loader.exec_module(wave)


# WAV files for the board

CHUNKS = wav().replace(b"WAVE", b"WAVELIST\x03\0\0\0odd\0")
EXTENSIBLE = bytearray(wav())
EXTENSIBLE[16:20] = (40).to_bytes(4, "little")
EXTENSIBLE[20:22] = b"\xfe\xff"
EXTENSIBLE[36:36] = struct.pack("<HHIH", 22, 16, 3, 1) + wave._GUID_TAIL


class Counted(io.BytesIO):
    """A file that counts what is asked of it."""

    def __init__(self, data):
        super().__init__(data)
        self.calls = self.bytes = 0

    def read(self, size=-1):
        data = super().read(size)
        self.calls += 1
        self.bytes += len(data)
        return data


@fuzz
@given(st.one_of(map(damaged, (wav(), CHUNKS, bytes(EXTENSIBLE)))))
def test_a_wav_file_is_read_or_refused_in_one_line(content):
    file = Counted(content)
    try:
        with wave.open(file) as reader:
            width = reader.getnchannels() * reader.getsampwidth()
            samples = reader.readframes(1 << 60)
            assert len(samples) == reader.getnframes() * width
            assert samples in content
    except (ValueError, OSError) as error:  # wave.Error is a ValueError
        assert str(error) and "\n" not in str(error)
    # Bounded work: at most 256 chunks, each looked at twice, and no byte of the samples twice.
    assert file.calls <= 3 * 256 + 4
    assert file.bytes <= len(content) + 16 * 3 * 256


@pytest.mark.parametrize("claim", [0x7FFFFFF0, 0xFFFFFFFC])
def test_a_size_that_is_claimed_takes_no_memory(claim):
    content = wav()[:40] + struct.pack("<I", claim) + bytes(64)
    with little_memory(), wave.open(io.BytesIO(content)) as reader:
        assert len(reader.readframes(claim)) == 64
        assert reader.readinto(bytearray(8)) == 0


# Recordings on the host


@fuzz
@given(damaged(wav()))
def test_a_recording_is_told_or_refused_in_one_line(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "damaged.wav"
    path.write_bytes(content)
    try:
        told = recording.Recording(path)
        assert told.samples.nbytes <= len(content)
        assert str(path) in told.report()
    except VirtboardError as error:
        assert "\n" not in str(error)


def test_another_form_of_sound_is_no_recording(tmp_path):
    path = tmp_path / "x.wav"
    for options, words in (
        (
            {"bits": 8},
            "no recording of 2 channels of 16 bits: it has 2 channels of 8 bits at 48000",
        ),
        ({"channels": 1}, "it has 1 channels of 16 bits"),
        ({"rate": 0}, "it has 2 channels of 16 bits at 0 Hz"),
    ):
        path.write_bytes(wav(**options))
        with pytest.raises(VirtboardError, match=words):
            recording.Recording(path)
    path.write_bytes(wav(bits=8))
    assert recording.Recording(path, "u1").frames == 32


def test_a_recording_that_is_too_large_takes_no_memory(tmp_path):
    path = tmp_path / "x.wav"
    path.write_bytes(wav())
    os.truncate(path, recording.MAX_BYTES + 1)
    with little_memory(), pytest.raises(VirtboardError, match="has 1024.0 MiB, 1024 MiB are the"):
        recording.Recording(path)


def test_the_sizes_of_a_header_have_an_end(tmp_path):
    path = tmp_path / "x.wav"
    path.write_bytes(wav())
    os.truncate(path, 6 << 30)
    recording.finish_header(path)
    with open(path, "rb") as file:
        head = file.read(44)
    assert head[4:8] == head[40:44] == b"\xff\xff\xff\xff"
    path.unlink()
    with pytest.raises(VirtboardError, match="x.wav is gone: No such file"):
        recording.finish_header(path)


# What is no file


@pytest.fixture(params=["fifo", "socket", "device", "folder"])
def odd(request, tmp_path):
    """A path at which reading might never end."""
    path = tmp_path / "odd"
    if request.param == "fifo":
        os.mkfifo(path)
    elif request.param == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    elif request.param == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    return path


@pytest.mark.timeout(20)
def test_what_is_no_file_is_not_waited_for(odd, tmp_path, capsys):
    with pytest.raises((VirtboardError, OSError)):
        read_file(odd, 1000)
    assert main(["report", str(odd)]) == 2
    machine = {"firmware": "/dev/null", "wav": tmp_path / "x.wav", "qemu": "/bin/true"}
    assert Machine(**machine | {"firmware": odd}).icount
    for other in ({"firmware": odd}, {"rom": odd}, {"feed": odd, "audio": "files"}, {"wav": odd}):
        with pytest.raises(VirtboardError):
            Machine(**machine | other).check()
    if not odd.is_dir():
        folder = tmp_path / "folder"
        folder.mkdir()
        odd.rename(folder / "odd")
        with pytest.raises(VirtboardError, match="odd cannot go into /rom: it is neither"):
            rom.pack(folder)
        with pytest.raises(VirtboardError, match="odd cannot go into /disk: it is neither"):
            disk.prepare(folder)
        with pytest.raises(VirtboardError, match="odd is neither an image nor a folder"):
            disk.prepare(folder / "odd")


# Folders for /rom and /disk


def test_what_a_link_leads_to_is_packed(tmp_path):
    # A link is the user's way to say: this too. docs/security.md says what follows from it.
    (tmp_path / "rom").mkdir()
    (tmp_path / "outside").write_bytes(b"outside")
    (tmp_path / "rom" / "x").symlink_to("../outside")
    (tmp_path / "rom" / "y").symlink_to(tmp_path / "outside")
    assert unpack(rom.pack(tmp_path / "rom")) == {"x": b"outside", "y": b"outside"}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("pack", [rom.pack, disk.prepare])
def test_few_links_are_not_many_files(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(files, "ENTRIES_MAX", 500)
    for n in range(30):  # 2**30 paths
        (tmp_path / str(n)).mkdir()
        for name in "ab":
            (tmp_path / str(n) / name).symlink_to(f"../{n + 1}")
    (tmp_path / "30").write_bytes(b"")
    with pytest.raises(VirtboardError, match="500 entries"):
        pack(tmp_path / "0")


@pytest.mark.parametrize("pack", [rom.pack, disk.prepare])
def test_folders_are_not_too_deep(tmp_path, pack):
    deep = tmp_path.joinpath(*["d"] * 31)
    deep.mkdir(parents=True)
    (deep / "x").write_bytes(b"x")
    pack(tmp_path)
    (deep / "d").mkdir()
    (deep / "d" / "x").write_bytes(b"x")
    with pytest.raises(VirtboardError, match="31 folders in each other"):
        pack(tmp_path)


# ROM images


def image(tmp_path):
    for name, data in (("main.py", b"print(1)"), ("lib/x.py", b"x" * 200), ("lib/d/e", b"")):
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return rom.pack(tmp_path / "folder")


def test_which_images_are_whole(tmp_path):
    for data in (*GOOD_ROMS, image(tmp_path)):
        romfs.check_image(data)
    for data in BAD_ROMS:
        with pytest.raises(VirtboardError) as caught:
            romfs.check_image(data)
        assert "\n" not in str(caught.value)


@fuzz
@given(st.data())
def test_an_image_that_passes_can_be_read(tmp_path_factory, data):
    content = data.draw(damaged(image(tmp_path_factory.getbasetemp())))
    try:
        romfs.check_image(content)
    except VirtboardError:
        return
    visited(content)


def visited(data):
    """Reads an image as the board does; AssertionError if that leaves it."""
    kind, at, end = romfs.record(data, 0, len(data))
    assert end <= len(data)
    todo, start = [(at, end)], at
    while todo:
        at, last = todo.pop()
        while at < last:
            kind, inside, at = romfs.record(data, at, last)
            assert inside <= at <= last
            if kind in (romfs.DIRECTORY, romfs.FILE):
                length, name = romfs.number(data, inside, at)
                assert name + length <= at
                todo.append((name + length, at))
            elif kind == romfs.DATA_POINTER:
                size, rest = romfs.number(data, inside, at)
                assert start + romfs.number(data, rest, at)[0] + size <= end


def test_a_machine_takes_no_damaged_image(tmp_path):
    path = tmp_path / "rom.img"
    machine = {"wav": tmp_path / "x.wav", "qemu": "/bin/true", "firmware": "/bin/true"}
    path.write_bytes(image(tmp_path))
    Machine(rom=path, **machine).check()
    for data in BAD_ROMS:
        path.write_bytes(data)
        with pytest.raises(
            VirtboardError, match="rom.img is no ROM image: .*`virtboard rom` packs"
        ):
            Machine(rom=path, **machine).check()
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    with little_memory(), pytest.raises(VirtboardError, match="has 1048576.0 MiB, 32 MiB are the"):
        Machine(rom=path, **machine).check()


@pytest.mark.parametrize("name", ["../x", "d/../../x", "{}/x", "link/x"])
def test_the_files_of_a_test_stay_in_their_folder(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(VirtboardError, match="x leads out of /rom"):
        files = {name.format(tmp_path): b"x"}
        write_rom(tmp_path / "folder", None, files, tmp_path / "rom.img")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "link", "outside"]
