# SPDX-License-Identifier: MIT
"""Checks a ROMFS image, as ports/riscv/romfs.c does on the board: MicroPython's reader does not.

An image is a record of records. Each has a kind and a length; those of folders and files go on
with a name and with records, and a file's data lies in one or is pointed at.
"""

from virtboard import VirtboardError
from virtboard.files import DEPTH_MAX

DATA_POINTER, DIRECTORY, FILE, FILE_SYSTEM = 3, 4, 5, 0x14A6B1
FLASH_BYTES = 32 << 20  # what the machine `virt` has for it
NUMBER_MAX = 10  # bytes


class Damaged(VirtboardError):
    """The image would lead its reader elsewhere."""


def number(data, at, end):
    """(value, next position) of a number, most significant 7 bits first."""
    value = 0
    for byte in data[at : min(at + NUMBER_MAX, end)]:
        value = value << 7 | byte & 0x7F
        at += 1
        if byte < 0x80:
            return value, at
    raise Damaged(f"a number at byte {at} does not end")


def record(data, at, end):
    """(kind, start of what is in it, its end) of a record."""
    start = at
    kind, at = number(data, at, end)
    length, at = number(data, at, end)
    if kind == 0 or length > end - at:
        raise Damaged(f"the record at byte {start} is of kind {kind} and has {length} bytes")
    return kind, at, at + length


def check_image(data):
    """Damaged, a VirtboardError, unless all of an image (bytes-like) lies inside of it."""
    if len(data) > FLASH_BYTES:
        raise Damaged(f"an image of {len(data)} bytes: the flash has {FLASH_BYTES}")
    kind, start, end = record(data, 0, len(data))
    if kind != FILE_SYSTEM:
        raise Damaged("it does not begin as a ROMFS image does")
    open_ = [(start, end)]  # of each folder that we are in: where we are, and its end
    while open_:
        at, last = open_.pop()
        while at < last:
            kind, inside, next_ = record(data, at, last)
            if kind in (DIRECTORY, FILE):
                length, name = number(data, inside, next_)
                if length > next_ - name or len(open_) == DEPTH_MAX:
                    raise Damaged(f"the folder or file at byte {at}: its name, or too deep")
                open_.append((next_, last))
                at, last = name + length, next_
                continue
            if kind == DATA_POINTER:
                size, rest = number(data, inside, next_)
                offset, _ = number(data, rest, next_)
                if offset + size > end - start:
                    raise Damaged(f"the data that byte {at} points at is not in the image")
            at = next_
