# SPDX-License-Identifier: MIT
"""virtboard: what is the board's disk, what QEMU is told of it, and the serial port on TCP."""

import os
import socket

import pytest
from test_cli import arguments, call, qemu  # noqa: F401

from virtboard import VirtboardError
from virtboard.disk import IMAGE_BYTES, options, prepare
from virtboard.qemu import Machine

# ruff: noqa: F811


def test_a_new_image_is_made_once(tmp_path):
    image = tmp_path / "new.img"
    prepare(image)
    assert image.stat().st_size == IMAGE_BYTES == 64 << 20
    assert image.stat().st_blocks * 512 < 1 << 20, "the image takes room before it is used"
    with open(image, "r+b") as file:
        file.write(b"somebody's")
    prepare(image)
    assert image.read_bytes()[:10] == b"somebody's"
    assert image.stat().st_size == IMAGE_BYTES


def test_an_image_of_another_size_stays_as_it_is(tmp_path):
    image = tmp_path / "small.img"
    image.write_bytes(bytes(1024))
    prepare(image)
    assert image.read_bytes() == bytes(1024)


def test_what_cannot_be_a_disk(tmp_path):
    for disk, text in (
        ("", "DISK= is empty"),
        (tmp_path / "no" / "folder.img", "No such file or directory"),
        ("/dev/null", "neither an image nor a folder"),
    ):
        with pytest.raises(VirtboardError, match=text):
            prepare(disk)
    short = tmp_path / "short"
    short.write_text("a note")
    with pytest.raises(VirtboardError, match="less than 512 bytes"):
        prepare(short)
    assert short.read_text() == "a note"


def test_a_folder_that_is_too_large(tmp_path):
    with open(tmp_path / "large", "wb") as file:
        file.truncate(600 << 20)
    with pytest.raises(VirtboardError, match="has 600 MiB: QEMU shows a folder of 504"):
        prepare(tmp_path)


def test_options_of_an_image(tmp_path, monkeypatch):
    image = tmp_path / "a,b.img"
    image.touch()
    name = str(image).replace(",", ",,")
    device = ["-device", "virtio-blk-device,drive=disk,werror=report"]
    node = f"driver=file,node-name=disk,read-only=off,filename={name}"
    assert options(image) == ["-blockdev", node, *device]
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert options(image) == ["-blockdev", node.replace("only=off", "only=on"), *device]


def test_options_of_a_folder(tmp_path):
    node = f"driver=vvfat,node-name=disk,read-only=on,dir={tmp_path}"
    assert options(tmp_path)[:2] == ["-blockdev", node]


def test_a_machine_with_a_disk_runs_in_real_time(tmp_path):
    machine = Machine("fw.elf", disk=tmp_path, wav="run.wav", qemu="qemu")
    command = machine.command()
    assert not machine.icount and "-icount" not in command
    assert " ".join(options(tmp_path)) in " ".join(command)
    assert command.index("virtio-sound-device,audiodev=snd,streams=1") < command.index("-blockdev")
    assert "-blockdev" not in Machine("fw.elf", wav="run.wav", qemu="qemu").command()


def test_virtual_time_is_refused(tmp_path):
    (tmp_path / "fw.elf").touch()
    machine = Machine(
        tmp_path / "fw.elf", disk=tmp_path, icount=True, wav=tmp_path / "x", qemu="/bin/true"
    )
    with pytest.raises(VirtboardError, match="a disk needs icount=False"):
        machine.check()


def test_disk_on_the_command_line(call, arguments, tmp_path, monkeypatch):
    image = tmp_path / "d.img"
    assert call("run", "--headless", "--disk", image)[0] == 0
    assert f"node-name=disk,read-only=off,filename={image}" in arguments()
    assert image.stat().st_size == IMAGE_BYTES
    monkeypatch.setenv("DISK", str(tmp_path / "other.img"))
    assert call("run", "--headless")[0] == 0
    assert "other.img" in arguments()
    monkeypatch.setenv("DISK", "")
    status, _, err = call("run", "--headless")
    assert status == 2 and "DISK= is empty" in err


def test_the_serial_port_on_tcp(call, arguments):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        status, _, err = call("run", "--port", port)
        assert status == 2
        assert f"cannot serve on 127.0.0.1:{port}: Address already in use" in err
    status, out, _ = call("run", "--port", port)
    assert status == 0
    assert f"mpremote connect socket://127.0.0.1:{port} " in out
    assert "server=on,wait=off,nodelay=on" in arguments()
    assert "-serial chardev:uart" in arguments()
    assert "batch" not in arguments() and "-icount" not in arguments()


@pytest.mark.parametrize("words", [("--port", "0"), ("--port", "65536"), ("--port", "x"),
                                   ("--port", "5555", "--serial", "pty")])
def test_ports_that_do_not_exist(call, words):
    assert call("run", *words)[0] == 2
