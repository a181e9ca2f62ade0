# SPDX-License-Identifier: MIT
"""A disk of the host as /disk: images of FAT and littlefs, folders, and what goes wrong."""

import os
import signal
import time

import pytest
from console import CTRL_C, PROMPT, console


@pytest.fixture
def image(tmp_path):
    """Where an image will be."""
    return tmp_path / "a disk, of the board.img"


def said(board, program, **options):
    """What a program prints, as lines."""
    result = board.run(program, **options)
    assert result.status == 0, result.output
    return result.output.splitlines()


def test_a_new_image_becomes_a_disk(board, image):
    program = """
        import os, sys, vfs
        print([path for _, path in vfs.mount()], os.listdir("/disk"), sys.path[-1])
        os.chdir("/disk")
        with open("x.bin", "wb") as f: f.write(bytes(range(256)) * 400)
        print(os.statvfs(".")[0] * os.statvfs(".")[2] >> 20)
    """
    assert said(board, program, disk=image) == ["['/rom', '/disk'] [] /disk/lib", "63"]
    assert image.stat().st_size == 64 << 20
    assert image.read_bytes().count(bytes(range(256)) * 400) == 1
    program = "import os; print(os.listdir('/disk'), open('/disk/x.bin', 'rb').read()[-3:])"
    assert said(board, program, disk=image) == [r"['x.bin'] b'\xfd\xfe\xff'"]


def test_a_large_disk(board, image):
    with open(image, "wb") as file:
        file.truncate(3 << 30)
    program = """
        import os
        print(os.statvfs("/disk")[0] * os.statvfs("/disk")[2] >> 20 > 3000)
        with open("/disk/x", "wb") as f:
            for n in range(8): f.write(bytes([n]) * 40000)
        with open("/disk/x", "rb") as f:
            print(all(f.read(40000) == bytes([n]) * 40000 for n in range(8)))
    """
    assert said(board, program, disk=image) == ["True", "True"]


def test_an_image_by_mkfs_of_littlefs(board, image):
    program = """
        import os, vfs, vblk
        vfs.umount("/disk")
        disk = vblk.open(block_size=4096)
        vfs.VfsLfs2.mkfs(disk)
        vfs.mount(disk, "/disk")
        with open("/disk/x", "w") as f: f.write("little" * 1000)
        vfs.umount("/disk")
    """
    assert said(board, program, disk=image) == []
    program = """
        import vfs
        print(vfs.mount()[-1], open("/disk/x").read() == "little" * 1000)
        open("/disk/y", "w").write("forgotten")
    """
    assert said(board, program, disk=image) == ["(<VfsLfs2>, '/disk') True"]


def test_power_off_after_sync(firmware, tmp_path, image):
    with console(firmware, tmp_path, disk=image) as board:
        board.until(PROMPT)
        assert board.run("import os; os.getcwd()") == "'/disk'"
        board.run("f = open('x', 'w'); f.write('safe'); f.flush(); os.sync()")
        board.process.send_signal(signal.SIGKILL)
        board.process.wait()
    with console(firmware, tmp_path, disk=image) as board:
        board.until(PROMPT)
        assert board.run("open('x').read()") == "'safe'"


def test_soft_reset_and_reset(firmware, tmp_path, image):
    with console(firmware, tmp_path, append="", disk=image) as board:
        board.until(PROMPT)
        board.run("f = open('main.py', 'w'); f.write('print(\"from the disk\")'); f.close()")
        board.run("f = open('y', 'w'); f.write('not closed')")
        board.soft_reboot()
        assert board.run("open('y').read()") == "'not closed'"
        board.send(b"import machine; machine.reset()\r")
        assert b"from the disk\r\n" in board.until(PROMPT)


def test_what_is_forgotten_is_closed_by_the_collector(board, image):
    program = """
        import gc
        def write(n): open("/disk/x%d" % n, "w").write("text" * n)
        for n in range(20): write(n)
        gc.collect()
        print(sum(open("/disk/x%d" % n).read() == "text" * n for n in range(20)))
    """
    # The collector is conservative: words left on the stack may look like one or two of the files.
    assert int(said(board, program, disk=image)[0]) >= 17


def test_a_full_disk(board, image):
    with open(image, "wb") as file:
        file.truncate(1 << 20)
    program = """
        import errno, os
        try:
            with open("/disk/all", "wb") as f:
                while True: f.write(bytes(5000))
        except OSError as e:
            print(e.errno == errno.ENOSPC)
        os.remove("/disk/all")
        with open("/disk/some", "wb") as f: print(f.write(bytes(5000)))
    """
    assert said(board, program, disk=image) == ["True", "5000"]


def test_a_folder(board, tmp_path):
    folder = tmp_path / "a folder, of the host"
    (folder / "sub").mkdir(parents=True)
    (folder / "hello.txt").write_text("from the host\n" * 1000)
    (folder / "sub" / "mod.py").write_text("print('imported')\n")
    program = """
        import errno, os, sys
        text = open("/disk/hello.txt").read()
        print(sorted(os.listdir("/disk")), text == "from the host\\n" * 1000)
        sys.path.append("/disk/sub")
        import mod
        for call in (lambda: open("/disk/new", "w"), lambda: os.remove("/disk/hello.txt")):
            try: call()
            except OSError as e: print(e.errno == errno.EROFS)
    """
    lines = said(board, program, disk=folder)
    assert lines == ["['hello.txt', 'sub'] True", "imported", "True", "True"]
    assert sorted(path.name for path in folder.iterdir()) == ["hello.txt", "sub"]


def test_main_py_of_a_folder(board, tmp_path):
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "main.py").write_text("import os; print('main of', os.getcwd())\n")
    assert said(board, None, disk=folder) == ["main of /disk"]
    assert said(board, "print('main of rom')", disk=folder) == ["main of rom"]


def test_an_image_that_may_not_be_written(board, image, monkeypatch):
    assert said(board, "open('/disk/x', 'w').close()", disk=image) == []
    image.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda path, mode: path != image)  # root may write anyway
    program = """
        import errno, os
        print(os.listdir("/disk"))
        try: open("/disk/y", "w")
        except OSError as e: print(e.errno == errno.EROFS)
    """
    assert said(board, program, disk=image) == ["['x']", "True"]


def test_what_is_no_file_system(board, image):
    image.write_bytes(b"a letter to somebody. " * 100_000)
    before = image.read_bytes()
    result = board.run("import os; print(os.listdir('/'))", disk=image)
    assert result.output.startswith("no /disk:\n")
    assert "OSError: [Errno 19] ENODEV" in result.output
    assert result.output.endswith("\n['rom']\n")
    assert image.read_bytes() == before, "somebody's data were overwritten"


def faulty(image, kind, number):
    """QEMU's options for a disk that fails with an errno at each request of a kind."""
    image.touch()
    os.truncate(image, 4 << 20)
    node = f"driver=blkdebug,node-name=disk,image.driver=file,image.filename={image}"
    rule = "inject-error.0.event=none"
    rule += f",inject-error.0.iotype={kind},inject-error.0.errno={number}"
    return {
        "icount": False,
        "extra": ["-blockdev", f"{node},{rule}",
                  "-device", "virtio-blk-device,drive=disk,werror=report"],
    }


@pytest.mark.parametrize("number", [5, 28])
@pytest.mark.parametrize(("kind", "does"), [
    ("read", "reading"), ("write", "writing"), ("flush", "flushing"),
])
def test_a_broken_disk(board, tmp_path, kind, does, number):
    program = """
        import errno, vblk
        disk = vblk.open()
        for call in (lambda: disk.readblocks(0, bytearray(512)),
                     lambda: disk.writeblocks(1, bytes(512)), disk.sync):
            try: print(call())
            except OSError as e: print(e.errno == errno.EIO, e)
    """
    lines = said(board, program, **faulty(tmp_path / "d.img", kind, number))[-3:]
    answers = {"reading": "0", "writing": "0", "flushing": "None"}
    sector = 1 if does == "writing" else 0
    answers[does] = f"True [Errno 5] EIO: disk: {does} sector {sector}: I/O error"
    assert [line.replace("(5, '", "[Errno 5] EIO: ").replace("')", "") for line in lines] == list(
        answers.values()
    )


def test_a_file_on_a_broken_disk(board, tmp_path):
    image = tmp_path / "d.img"
    assert said(board, "open('/disk/x', 'w').close()", disk=image) == []
    program = """
        import errno
        try:
            with open("/disk/y", "w") as f: f.write("text" * 10000)
        except OSError as e:
            print(e.errno == errno.EIO)
    """
    os.truncate(image, 64 << 20)
    options = faulty(tmp_path / "other.img", "write", 5)
    options["extra"][1] = options["extra"][1].replace("other.img", "d.img")
    assert said(board, program, **options) == ["True"]


@pytest.mark.parametrize("options", [
    {"legacy": True},
    {"extra": ["-global", "virtio-blk-device.indirect_desc=off"]},
    {"extra": ["-global", "virtio-blk-device.event_idx=off"]},
    {"sound": False},
])
def test_other_devices(board, image, options):
    program = """
        with open("/disk/x", "wb") as f:
            for n in range(50): f.write(bytes([n]) * 1111)
        with open("/disk/x", "rb") as f:
            print(all(f.read(1111) == bytes([n]) * 1111 for n in range(50)))
    """
    assert said(board, program, disk=image, **options) == ["True"]


def test_sound_from_a_disk(board, image):
    program = """
        import audio, wave
        with wave.open("/rom/x.wav") as r:
            frames = r.readframes(r.getnframes())
        with open("/rom/x.wav", "rb") as f, open("/disk/x.wav", "wb") as g:
            g.write(f.read())
        audio.play("/disk/x.wav")
    """
    header = b"RIFF$\x96\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x80\xbb\x00\x00"
    samples = b"".join((n * 37 % 20000).to_bytes(2, "little") * 2 for n in range(9600))
    header += b"\x00\xee\x02\x00\x04\x00\x10\x00data\x00\x96\x00\x00"
    result = board.run(program, files={"x.wav": header + samples}, disk=image)
    assert result.status == 0, result.output
    assert samples in result.recording.path.read_bytes()


def test_ctrl_c_leaves_the_files_whole(firmware, tmp_path, image):
    """Even in close(): a file that is half closed would later be closed over its successor."""
    program = """
import gc, os
def go():
    n = 0
    print("going")
    while True:
        n += 1
        write("f%d" % (n % 3), "%d " % n * 2000)
def write(name, text):
    with open(name, "w") as f:
        f.write(text)
def again(n):
    for name in ("f2", "f1", "f0"):
        write(name, name * n)
    gc.collect()  # which closes what is still open
    return [open(name).read() == name * n for name in ("f0", "f1", "f2")]
"""
    with console(firmware, tmp_path, disk=image) as board:
        board.until(PROMPT)
        board.paste(program)
        for n in range(30):
            board.send(b"go()\r")
            board.until(b"going\r\n")
            time.sleep(0.01 + n / 2000)
            board.send(CTRL_C)
            assert b"KeyboardInterrupt" in board.until(PROMPT)
            assert board.run(f"again({1000 + n})") == "[True, True, True]"
