# SPDX-License-Identifier: MIT
"""What a Python driver needs of the machine and no standard module offers: see docs/virt.md."""

from _typeshed import ReadableBuffer, WriteableBuffer
from collections.abc import Callable
from typing import Final, NoReturn, Self, final, overload

VIRTIO_BASE: Final = 0x10001000
VIRTIO_STRIDE: Final = 0x1000
VIRTIO_SLOTS: Final = 8
VIRTIO_IRQ: Final = 1

def arena() -> bytearray:
    """The memory that devices may access, 1 MiB outside the heap."""

def copy(to: WriteableBuffer, to_at: int, from_: ReadableBuffer, from_at: int, n: int, /) -> None:
    """Copy n bytes; allocates nothing. ValueError if they do not lie within the buffers."""

def fill(buf: WriteableBuffer, at: int, n: int, value: int, /) -> None:
    """n bytes from offset `at` become `value` (its low 8 bits). ValueError as copy()."""

@overload
def equal(a: ReadableBuffer, a_at: int, b: ReadableBuffer, b_at: int, n: int, /) -> bool:
    """Whether n bytes are the same. ValueError as copy()."""

@overload
def equal(
    a: ReadableBuffer,
    a_at: int,
    b: ReadableBuffer,
    b_at: int,
    n: int,
    a_at_too: int,
    b_too: ReadableBuffer,
    b_at_too: int,
    n_too: int,
    /,
) -> bool:
    """And whether other bytes of `a` are the same."""

def nbytes(buf: ReadableBuffer, /) -> int:
    """Length in bytes, whatever the item size."""

def load16(address: int, offset: int = 0, /) -> int:
    """A 16-bit load that comes before all later accesses."""

def load32(address: int, offset: int = 0, /) -> int:
    """A 32-bit load, unsigned. No fence."""

def store16(address: int, value: int, offset: int = 0, /) -> int:
    """Store 16 bits after all earlier and before all later accesses; return what stood there."""

def pass16(address: int, value: int, mark: int, /) -> bool:
    """As store16(); return whether the word went past the one at address `mark`."""

def store64(address: int, word: int, /, *words: int) -> None:
    """Store words of 64 bits, one after the other. No fence."""

def store_addresses(
    addresses: list[int] | tuple[int, ...],
    first: int,
    n: int,
    buf: ReadableBuffer,
    at: int,
    step: int,
    /,
) -> None:
    """Store the addresses of bytes at, at + step, ... of buf as words. ValueError as copy().

    They are the 64-bit words at addresses[first : first + n]. No fence.
    """

@overload
def irq(
    source: int, handler: Callable[[int], object] | None, /, *, hard: bool = False
) -> None:
    """handler(source) runs soon after PLIC source 1..95 fires, a hard one in the interrupt.

    None: no longer.
    """

@overload
def irq(
    source: int,
    handler: Callable[[int, int], object],
    status: int,
    ack: int,
    mask: int,
    wanted: int,
    watch: int,
    /,
    *,
    hard: bool = False,
) -> None:
    """The C handler acknowledges; handler(source, bits) runs for bits of `wanted`."""

def wait(ms: int, /) -> bool:
    """Sleep until a source of irq() has fired: True; False after `ms` milliseconds."""

def wait16(address: int, value: int, ms: int, /) -> int:
    """Sleep, in a `with lock`, until the 16-bit word is not `value`, or `ms` ms have passed.

    Return by how much it is more, modulo 65536, plus 65536 if something else ran meanwhile.
    """

def sleep16(address: int, value: int, ms: int, /) -> int:
    """As wait16(), but the lock is kept: no scheduled function runs, and Ctrl-C waits."""

@final
class _Lock:
    def __enter__(self) -> Self: ...
    def __exit__(self, kind: object, value: object, traceback: object, /) -> None: ...

lock: _Lock
"""`with lock`: no scheduled function runs, and Ctrl-C waits. It nests."""

def at_reset(function: Callable[[], object] | None, /) -> None:
    """function() is called before a soft or machine reset; None for none."""

def bootargs() -> str:
    """What QEMU was given with -append."""

def exit(status: int = 0, /) -> NoReturn:
    """QEMU ends with that status. ValueError outside 0..255."""
