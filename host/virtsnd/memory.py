# SPDX-License-Identifier: MIT
"""The address space of the simulated machine: RAM and register pages.

The device side needs only read() and write(): any object that has them, the mapped
memory of a guest for one, can take the place of Memory.
"""

from .rules import rule


class Memory:
    def __init__(self):
        self._ram = []  # (first address, memoryview, may the device write it)
        self._pages = []  # (first address, size, object with read(at, n) and write(at, n, value))

    def add_ram(self, base, buffer, writable=True):
        self._ram.append((base, memoryview(buffer).cast("B"), writable))

    def add_page(self, base, size, page):
        self._pages.append((base, size, page))

    def remove_page(self, base):
        self._pages = [page for page in self._pages if page[0] != base]

    def _find(self, address, n):
        for base, view, writable in self._ram:
            if base <= address and address + n <= base + len(view):
                return view, address - base, writable
        return None, 0, False

    # What a device sees: RAM only.

    def read(self, address, n):
        """n bytes of RAM at a physical address."""
        view, at, _ = self._find(address, n)
        rule(view is not None, "F-09", f"{n} bytes at {address:#x}: not memory")
        return bytes(view[at : at + n])

    def write(self, address, data):
        view, at, writable = self._find(address, len(data))
        writable = writable and view is not None
        rule(writable, "F-09", f"{len(data)} bytes to {address:#x}: not memory")
        view[at : at + len(data)] = data

    def word(self, address, n):
        """The little-endian number of n bytes at a physical address."""
        return int.from_bytes(self.read(address, n), "little")

    def set_word(self, address, n, value):
        self.write(address, value.to_bytes(n, "little"))

    # What the processor sees: register pages too.

    def load(self, address, n):
        for base, size, page in self._pages:
            if base <= address < base + size:
                return page.read(address - base, n)
        return self.word(address, n)

    def store(self, address, n, value):
        value &= (1 << 8 * n) - 1
        for base, size, page in self._pages:
            if base <= address < base + size:
                page.write(address - base, n, value)
                return
        self.set_word(address, n, value)
