# SPDX-License-Identifier: MIT
"""A guest's memory as QEMU shares it with a vhost-user device."""

import contextlib
import fcntl
import mmap
import threading

from .rules import rule
from .vhost_messages import ProtocolError


class GuestMemory:
    """The guest's memory as QEMU shares it, by guest-physical address; see memory.Memory."""

    def __init__(self):
        self._regions = []  # (guest-physical address, bytes, QEMU's address, view, mmap)
        self._added = {}  # by guest-physical address: a view
        self._fence = threading.Lock()

    def add(self, address, data):
        """The guest has this memory too, which QEMU does not share: a flash. To be read only."""
        self._added[address] = memoryview(data).toreadonly()

    def map(self, regions, fds):
        """Take the place of all regions before: (guest address, bytes, QEMU's address, offset)."""
        self.unmap()
        for (guest, size, user, offset), fd in zip(regions, fds, strict=True):
            # Who shrank it would end us with SIGBUS. Only a memfd can be sealed, and not each.
            with contextlib.suppress(OSError):
                fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
            try:
                mapped = mmap.mmap(fd, offset + size)
            except (OSError, ValueError, OverflowError) as error:
                text = f"memory region of {size} bytes at {guest:#x} cannot be mapped: {error}"
                raise ProtocolError(text) from None
            view = memoryview(mapped)[offset : offset + size]
            self._regions.append((guest, size, user, view, mapped))

    def unmap(self):
        for *_, view, mapped in self._regions:
            view.release()
            mapped.close()
        self._regions = []

    def physical(self, user):
        """The guest-physical address of what lies at an address of QEMU."""
        for guest, size, start, *_ in self._regions:
            if start <= user < start + size:
                return guest + user - start
        raise ProtocolError(f"ring address {user:#x} is in no memory region")

    def _find(self, address, n):
        for guest, size, _, view, _ in self._regions:
            if guest <= address and address + n <= guest + size:
                return view, address - guest
        for start, view in self._added.items():
            if start <= address and address + n <= start + len(view):
                return view, address - start
        rule(False, "F-09", f"{n} bytes at {address:#x}: not memory that the device can reach")

    def read(self, address, n):
        """n bytes of guest memory."""
        view, at = self._find(address, n)
        return bytes(view[at : at + n])

    def write(self, address, data):
        view, at = self._find(address, len(data))
        rule(not view.readonly, "F-09", f"{len(data)} bytes to {address:#x}: not to be written")
        view[at : at + len(data)] = data
        # The guest runs meanwhile. A lock is the one barrier that Python has: what was written
        # is visible before anything that follows (2.7.13.3).
        with self._fence:
            pass

    def word(self, address, n):
        """The little-endian number of n bytes at a guest-physical address."""
        return int.from_bytes(self.read(address, n), "little")

    def set_word(self, address, n, value):
        self.write(address, value.to_bytes(n, "little"))
