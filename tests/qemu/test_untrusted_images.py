# SPDX-License-Identifier: MIT
"""Images and files that somebody else made, on the board: a clear line, and it goes on."""

import os
import random
import sys
from pathlib import Path

import pytest
from virtboard.qemu import ROM_ADDRESS

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from untrusted import BAD_ROMS, wav

REFUSED = "no /rom: what is in flash is no ROMFS image, or a damaged one"
NO_FILE_SYSTEM = "OSError: [Errno 19] ENODEV: neither FAT nor littlefs 2 on the disk, or damaged"
COUNT = int(os.environ.get("EXAMPLES") or 60)


def flash(path):
    """QEMU's options for an image that virtboard would refuse."""
    return ["-device", f"loader,file={path},addr={ROM_ADDRESS:#x},force-raw=on"]


# Those on the board are cut to what shows a rule each.
@pytest.mark.parametrize("number", [2, 6, 8, 9, 11, 12, 15, 16, 17])
def test_a_rom_image_that_is_damaged_is_not_mounted(board, tmp_path, number):
    path = tmp_path / "bad.img"
    path.write_bytes(BAD_ROMS[number])
    result = board.run(extra=flash(path), timeout=20)
    assert result.status == 0
    assert result.output.splitlines()[0] == REFUSED
    assert result.output.count(REFUSED) == 1
    assert result.recording.frames == 48480  # the tone, as without an image


def test_no_image_is_no_damaged_image(board):
    assert REFUSED not in board.run().output


def damage(chance, whole):
    data = bytearray(whole)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(data))
        data[at] = chance.choice([0, 1, 2, 127, 128, 255, chance.randrange(256)])
    return bytes(data[: chance.choice([len(data), len(data), chance.randrange(len(data))])])


@pytest.mark.every_board
def test_wav_files_that_are_damaged(board):
    chance = random.Random(5)
    whole = wav(bytes(range(256)) * 4)
    files = {f"{n}.wav": damage(chance, whole[:44]) + whole[44:] for n in range(COUNT // 2)}
    files |= {f"{n}.wav": damage(chance, whole) for n in range(COUNT // 2, COUNT)}
    program = """
        import audio, io, os
        for name in sorted(os.listdir("/rom")):
            if name.endswith(".wav"):
                for source in ("/rom/" + name, io.BytesIO(open("/rom/" + name, "rb").read())):
                    try:
                        audio.play(source)
                        print("played")
                    except (ValueError, OSError) as e:
                        print(type(e).__name__, str(e).replace("\\n", "LINES"))
    """
    result = board.run(program, files=files)
    lines = result.output.splitlines()
    assert (result.status, len(lines)) == (0, 2 * COUNT)
    assert 0 < lines.count("played") < 2 * COUNT
    assert not any("LINES" in line or line.endswith("Error ") for line in lines)


FILE_SYSTEMS = """
    import os, random, vfs
    from time import ticks_diff, ticks_ms
    from settings import COUNT

    class Ram:
        reads = 0

        def __init__(self, data):
            self.data = data

        def readblocks(self, block, buf, offset=0):
            self.reads += 1
            at = block * 512 + offset
            if at < 0 or at + len(buf) > len(self.data):
                raise OSError(5)
            buf[:] = self.data[at : at + len(buf)]

        def writeblocks(self, block, buf, offset=0):
            at = block * 512 + offset
            if at < 0 or at + len(buf) > len(self.data):
                raise OSError(5)
            self.data[at : at + len(buf)] = buf

        def ioctl(self, command, argument):
            return {4: len(self.data) // 512, 5: 512}.get(command, 0)

    def walk(fs, path, depth=0):
        for name, kind, *_ in fs.ilistdir(path):
            inside = path + "/" + name
            if kind == 0x4000:
                if depth < 4 and name not in (".", ".."):
                    walk(fs, inside, depth + 1)
            else:
                with fs.open(inside, "rb") as f:
                    for _ in range(100):
                        if not f.read(512):
                            break

    for type in (vfs.VfsFat, vfs.VfsLfs2):
        ram = Ram(bytearray(65536))
        type.mkfs(ram)
        vfs.mount(ram, "/x")
        os.mkdir("/x/d")
        for name in ("/x/a.txt", "/x/d/b.txt", "/x/a long name.wav"):
            with open(name, "w") as f:
                f.write("hello" * 300)
        vfs.umount("/x")
        whole = bytes(ram.data)
        used = [i for i in range(len(whole)) if whole[i]]
        random.seed(1)
        refused = longest = 0
        for _ in range(COUNT):
            ram.data[:] = whole
            ram.reads = 0
            for _ in range(random.randrange(1, 12)):
                at = random.choice(used) if random.randrange(4) else random.randrange(4096)
                ram.data[at] = random.choice((0, 1, 255, random.randrange(256)))
            try:
                fs = type(ram)
                fs.mount(False, False)
                walk(fs, "")
                with fs.open("new", "wb") as f:
                    f.write(bytes(700))
            except (OSError, ValueError):  # UnicodeError is a ValueError
                refused += 1
            longest = max(longest, ram.reads)
        print(type.__name__, refused > 0, longest < 20000)
"""


def test_file_systems_that_are_damaged(board):
    files = {"settings.py": f"COUNT = {max(200, COUNT)}\n"}
    result = board.run(FILE_SYSTEMS, files=files, sound=False, timeout=110)
    assert result.output.splitlines() == ["VfsFat True True", "VfsLfs2 True True"]
    assert result.status == 0


def littlefs(block_size):
    return (bytes(8) + b"littlefs" + bytes(8) + block_size.to_bytes(4, "little")).ljust(
        65536, b"\1"
    )


def fat(at, value):
    """A boot sector of FAT16, one field of which is nonsense."""
    sector = bytearray(65536)
    sector[0:3], sector[510:512] = b"\xeb\x3c\x90", b"\x55\xaa"
    sector[11:24] = bytes.fromhex("00020101000200028000f80100")
    sector[54:62] = b"FAT16   "
    sector[at : at + len(value)] = value
    return bytes(sector)


@pytest.mark.parametrize(
    "image",
    [
        random.Random(1).randbytes(65536),
        b"\xff" * 65536,
        littlefs(0),
        littlefs(3),
        littlefs(0xFFFFFE00),
        littlefs(512),
        fat(11, b"\0\0"),
        fat(13, b"\0"),
        fat(16, b"\xff"),
        fat(19, b"\xff\xff"),
    ],
    ids=[
        "noise",
        "ones",
        "block0",
        "block3",
        "block4G",
        "block512",
        "sector",
        "cluster",
        "fats",
        "sectors",
    ],
)
def test_a_disk_that_is_damaged(board, tmp_path, image):
    path = tmp_path / "disk.img"
    path.write_bytes(image)
    program = """
        import os
        try:
            print(os.listdir("/disk"))
        except OSError as e:
            print("OSError", e.errno)
    """
    result = board.run(program, disk=path, sound=False, timeout=20)
    assert result.status == 0
    *said, last = result.output.splitlines()
    assert said[0] == "no /disk:" and said[-1] == NO_FILE_SYSTEM
    assert last == "OSError 2"
    assert path.read_bytes() == image


def test_a_board_cannot_write_to_a_folder(board, tmp_path):
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "x").write_bytes(b"as it was" * 1000)
    before = tree(tmp_path / "folder")
    program = """
        import errno, vfs, vblk
        vfs.umount("/disk")
        disk = vblk.open()
        block = bytearray(512)
        refused = 0
        for n in range(1000):
            disk.readblocks(n, block)
            try:
                disk.writeblocks(n, bytes(512))
            except OSError as e:
                refused += e.errno in (errno.EROFS, errno.EIO)
        print(refused, disk.readonly)
    """
    result = board.run(program, disk=folder, sound=False)
    assert result.output == "1000 True\n"
    assert tree(tmp_path / "folder") == before


def tree(folder):
    """{path: content} of all files in a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
