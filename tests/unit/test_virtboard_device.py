# SPDX-License-Identifier: MIT
"""virtboard.qemu: a board whose sound card is another process."""

import socket

import pytest
from virtboard import VirtboardError
from virtboard.qemu import Machine


def machine(**options):
    return Machine("fw.elf", qemu="qemu", **options)


def test_the_command():
    card = machine(device="a,b")
    assert card.command() == [
        *("qemu", "-machine", "virt,memory-backend=ram", "-smp", "1", "-m", "128M"),
        *("-bios", "none", "-kernel", "fw.elf", "-display", "none"),
        *("-monitor", "none", "-serial", "stdio"),
        *("-global", "virtio-mmio.force-legacy=false", "-global", "virtio-mmio.ioeventfd=off"),
        *("-object", "memory-backend-memfd,id=ram,size=128M,share=on"),
        *("-chardev", "socket,id=snd,path=a,,b"),
        *("-device", "vhost-user-snd,chardev=snd,controls=on"),
    ]
    assert not card.records


@pytest.mark.parametrize(("memory", "size"), [("64", "64M"), ("1G", "1G"), ("96m", "96m")])
def test_memory_is_as_much_as_the_machine_has(memory, size):
    # To QEMU 64 is 64 megabytes after -m, and 64 bytes after size=.
    words = machine(device="x", memory=memory).command()
    assert words[words.index("-m") + 1] == memory
    assert f"memory-backend-memfd,id=ram,size={size},share=on" in words


def test_a_card_without_controls():
    assert machine(device="x", controls=False).command()[-1] == "vhost-user-snd,chardev=snd"


def test_no_card_at_all():
    words = machine(device="x", sound=False).command()
    assert "virt" in words
    assert not any("snd" in word for word in words)


@pytest.fixture
def there(tmp_path):
    """Options of a Machine that could be started, but for its device."""
    (tmp_path / "fw.elf").touch()
    (tmp_path / "qemu").touch(mode=0o755)
    return {"firmware": tmp_path / "fw.elf", "qemu": tmp_path / "qemu"}


@pytest.mark.parametrize("name", ["nothing", "fw.elf", "."])
def test_what_is_no_socket(there, tmp_path, name):
    path = tmp_path / name
    with pytest.raises(VirtboardError) as error:
        Machine(device=path, **there).check()
    assert str(error.value) == f"no sound device at {path}: `python -m virtsnd {path}` is one"


def test_virtual_time(there, tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        Machine(device=tmp_path / "s", **there).check()
        with pytest.raises(VirtboardError, match="a sound device of its own needs icount=False"):
            Machine(device=tmp_path / "s", icount=True, **there).check()
