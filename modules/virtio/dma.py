# SPDX-License-Identifier: MIT
"""The DMA arena: one static block outside the Python heap.

A device may write at any time to memory that it was once given. So that memory
never comes from the heap, where the collector would hand it to somebody else, and
a Region goes back to the arena only after the device has returned every buffer in
it or was reset.

`va` is where the processor sees a byte, `pa` where the device sees it. They are
equal on bare metal and differ in a Linux process: never use one for the other.
"""

import errno
from uctypes import addressof
import virt

# Indexed by Region.at, for virt.copy and slices. A memoryview: a slice of a bytearray that is
# assigned to moves all that lies behind it.
arena = memoryview(virt.arena())
_VA = addressof(arena)
_PA = _VA

_free = [(0, len(arena))]  # (at, size) in bytes, sorted, no two adjacent
_late = None  # regions that came back when there was no memory to write that down


class Region:
    """`size` bytes of the arena at index `at`, processor address `va`, device address `pa`."""

    def __init__(self, at, size):
        self.at = at
        self.size = size
        self.va = _VA + at
        self.pa = _PA + at

    def store(self, buf, offset=0):
        """Copy the bytes-like `buf` into the region, `offset` bytes from its start."""
        n = virt.nbytes(buf)
        if offset + n > self.size:
            raise ValueError("%d bytes at %d do not fit a region of %d" % (n, offset, self.size))
        virt.copy(arena, self.at + offset, buf, 0, n)

    def load(self, n=None, offset=0):
        """Return a private copy of n bytes (default: all): what a device wrote is read once."""
        at = self.at + offset
        return bytes(arena[at : at + (self.size - offset if n is None else n)])


def alloc(size, align=16):
    """Return a zeroed Region of `size` bytes whose pa is a multiple of `align` (a power of two).

    OSError(ENOMEM) if the arena has no such block left.
    """
    size = (size + 15) & ~15
    i = 0
    with virt.lock:
        for at, room in _free:
            start = ((_PA + at + align - 1) & -align) - _PA
            rest = at + room - start - size
            if rest >= 0:
                region = Region(start, size)  # what needs memory comes first
                behind = start + size, rest
                if start > at:
                    _free.insert(i, (at, start - at))
                    i += 1
                if rest:
                    _free[i] = behind
                else:
                    del _free[i]
                virt.fill(arena, start, size, 0)
                return region
            i += 1
    raise OSError(
        errno.ENOMEM, "DMA arena: no block of %d bytes left, %d in all" % (size, available())
    )


def free(region):
    """Return a region that no device can reach any more."""
    global _late
    with virt.lock:
        region.pa, _late = _late, region  # it has no address any more, but the next of them
        try:
            while _late:
                _free.append((_late.at, _late.size))
                _late = _late.pa
            _free.sort()
            i = 1
            while i < len(_free):
                at, size = _free[i - 1]
                if at + size == _free[i][0]:
                    _free[i - 1 : i + 1] = [(at, size + _free[i][1])]
                else:
                    i += 1
        except MemoryError:
            pass  # what could not be done is done with the next region


# point(vas, first, n, buf, at, step): n 64-bit words, at vas[first] and so on, become the device
# addresses of bytes at, at + step, ... of a buffer outside the arena, for zero-copy reads. In one
# step: on 32 bits an address alone is an object.
point = virt.store_addresses


def available():
    """Bytes of the arena that are not in use."""
    return sum(size for _, size in _free)
