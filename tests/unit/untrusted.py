# SPDX-License-Identifier: MIT
"""What the tests of malformed input have in common.

Hypothesis makes the same examples in every run, EXAMPLES of them for a test; with EXAMPLES=N in
the environment it is N of others.
"""

import os
import resource
import struct
from contextlib import contextmanager

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from virtboard.romfs import DIRECTORY, FILE, FILE_SYSTEM

EXAMPLES = 200

fuzz = settings(
    max_examples=int(os.environ.get("EXAMPLES") or EXAMPLES),
    derandomize="EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@st.composite
def damaged(draw, whole):
    """Bytes like `whole`, with some of them changed, taken out, doubled or cut off."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["byte", "byte", "word", "out", "double", "cut", "more"])):
            case "byte":
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "word":
                values = [0, 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
                data[at : at + 4] = draw(st.sampled_from(values)).to_bytes(4, "little")
            case "out":
                del data[at : at + draw(st.integers(1, 16))]
            case "double":
                data[at:at] = data[at : at + draw(st.integers(1, 64))]
            case "cut":
                del data[at:]
            case "more":
                data[at:at] = draw(st.binary(max_size=32))
    return bytes(data)


@contextmanager
def little_memory(more=64 << 20):
    """Inside, this process may have so many bytes more than now: a MemoryError beyond."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def wav(data=bytes(range(64)), channels=2, rate=48000, bits=16):
    """A WAV file as QEMU writes it."""
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * frame, frame, bits)
    head = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16)
    return head + form + b"data" + struct.pack("<I", len(data)) + data


# ROMFS images, by hand


def record(kind, data):
    return rom_number(kind) + rom_number(len(data)) + data


def rom_number(value):
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def named(kind, name, data=b""):
    return record(kind, rom_number(len(name)) + name + data)


def whole(*records):
    return record(FILE_SYSTEM, b"".join(records))


def nested(depth):
    data = named(FILE, b"x", record(2, b"1"))
    for _ in range(depth):
        data = named(DIRECTORY, b"d", data)
    return whole(data)


GOOD_ROMS = [whole(), nested(31), whole(named(5, b"x", record(3, rom_number(1) + rom_number(0))))]
BAD_ROMS = [
    b"",
    b"\xd2\xcd\x31",
    b"\xff" * 100_000,
    b"\x80" * 100_000,
    bytes(4096),
    whole()[:3] + b"\x01",
    whole(b"\x04"),
    whole(b"\0\0"),
    whole(b"\x05\x7f"),
    whole(b"\x04" + b"\xff" * 9 + b"\x7f"),  # a length of 2**64 - 1 or more
    whole(record(4, b"")),
    whole(record(5, b"\x05name")),
    whole(named(5, b"x", record(3, rom_number(1) + rom_number(1 << 40)))),
    whole(named(5, b"x", record(3, rom_number(100) + rom_number(0)))),
    whole(named(5, b"x", record(3, rom_number(0)))),
    nested(32),
    nested(100),
    whole(named(5, b"x", record(3, rom_number(1) + rom_number(1 << 64)))),
]
