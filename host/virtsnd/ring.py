# SPDX-License-Identifier: MIT
"""The device's side of a split virtqueue (VirtIO 1.3, 2.7)."""

import struct

from .rules import rule

NEXT = 1
WRITE = 2
INDIRECT = 4


def passed(event, new, old):
    """Whether a step of an index from old to new goes over `event` (2.7.10)."""
    return (new - event - 1) & 0xFFFF < (new - old) & 0xFFFF


class Chain:
    """What the driver handed over: parts to read, then parts to write, as (address, bytes)."""

    def __init__(self, memory, head):
        self.memory = memory
        self.head = head
        self.readable = []
        self.writable = []
        self.descriptors = {}  # by address: the 16 bytes as they were when the chain came

    @property
    def room(self):
        return sum(n for _, n in self.writable)

    def read(self):
        return b"".join(self.memory.read(address, n) for address, n in self.readable)

    def write(self, data):
        """Put data into the writable parts; what does not fit is cut. Return the bytes written."""
        at = 0
        for address, n in self.writable:
            piece = data[at : at + n]
            self.memory.write(address, piece)
            at += len(piece)
        return at

    def untouched(self):
        return all(
            self.memory.read(address, 16) == was for address, was in self.descriptors.items()
        )


class Ring:
    def __init__(self, memory, index, size, desc, avail, used, event_idx=False, poison=True):
        name = f"queue {index}"
        rule(size & (size - 1) == 0 and 0 < size <= 32768, "2.7", f"{name}: size {size}")
        for part, address, align in (("desc", desc, 16), ("avail", avail, 2), ("used", used, 4)):
            rule(address % align == 0, "Q-01", f"{name}: {part} at {address:#x}")
        self.memory = memory
        self.name = name
        self.index = index
        self.size = size
        self.desc = desc
        self.avail = avail
        self.used = used
        self.event_idx = event_idx
        self.poison = poison  # put nonsense into the field that the driver has to ignore
        self.silent = False  # ask for no kicks
        self.owned = {}  # by head: chains that came and did not go back
        self.taken = 0  # avail.idx up to which chains were taken
        self.idx = 0  # used.idx
        self._told = 0  # used.idx at the last decision about an interrupt
        self._kicked = 0  # avail.idx at the last kick
        rule(memory.word(used, 2) == 0, "Q-16", f"{name}: used.flags not 0")
        for address, n in ((desc, 16 * size), (avail, 6 + 2 * size), (used, 6 + 8 * size)):
            memory.read(address, n)
        self.ask()

    # Kicks

    def ask(self):
        """Tell the driver at which index a kick is wanted: at the next, or at none."""
        flags = self.silent
        event = self.taken
        if self.event_idx:
            flags = self.poison
            if self.silent:
                event -= 0x4000
        elif self.poison:
            event = 0xDEAD if self.silent else self.taken + 0x4000
        self.memory.set_word(self.used, 2, int(flags))
        self.memory.set_word(self.used + 4 + 8 * self.size, 2, event & 0xFFFF)

    def kicked(self):
        """Check a kick against what was asked for; more than was asked for is only unkind."""
        old, new = self._kicked, self._avail_idx()
        self._kicked = new
        if self.event_idx:
            event = self.memory.word(self.used + 4 + 8 * self.size, 2)
            return passed(event, new, old)
        return not self.silent

    # Available ring

    def _avail_idx(self):
        idx = self.memory.word(self.avail + 2, 2)
        ahead = (idx - self.taken) & 0xFFFF
        rule(
            ahead + len(self.owned) <= self.size,
            "Q-11",
            f"{self.name}: avail.idx {idx}, {self.taken} taken, {len(self.owned)} not returned",
        )
        flags = self.memory.word(self.avail, 2)
        if self.event_idx:
            rule(flags == 0, "Q-13", f"{self.name}: avail.flags {flags} with EVENT_IDX")
        else:
            rule(flags <= 1, "Q-12", f"{self.name}: avail.flags {flags}")
        return idx

    def pop(self):
        """The next Chain, None if there is none."""
        if self._avail_idx() == self.taken:
            return None
        head = self.memory.word(self.avail + 4 + 2 * (self.taken % self.size), 2)
        rule(head not in self.owned, "I-08", f"{self.name}: chain {head} was not returned yet")
        chain = self._walk(head)
        self.taken = (self.taken + 1) & 0xFFFF
        self.owned[head] = chain
        return chain

    def _walk(self, head):
        chain = Chain(self.memory, head)
        at = head
        while True:
            rule(at < self.size, "Q-08", f"{self.name}: descriptor {at} of {self.size}")
            address = self.desc + 16 * at
            rule(address not in chain.descriptors, "Q-04", f"{self.name}: chain {head} is a loop")
            raw = self.memory.read(address, 16)
            chain.descriptors[address] = raw
            pa, n, flags, following = struct.unpack("<QIHH", raw)
            rule(not flags & INDIRECT, "Q-06", f"{self.name}: INDIRECT was not negotiated")
            if flags & WRITE:
                chain.writable.append((pa, n))
            else:
                rule(not chain.writable, "Q-02", f"{self.name}: chain {head} reads after writing")
                chain.readable.append((pa, n))
            if not flags & NEXT:
                break
            at = following
        total = chain.room + sum(n for _, n in chain.readable)
        rule(total <= 1 << 32, "Q-04", f"{self.name}: chain {head} has {total} bytes")
        return chain

    # Used ring

    def push(self, head, length):
        """Give a chain back. Any number will do: a device may be wrong."""
        chain = self.owned.pop(head, None)
        if chain:
            rule(chain.untouched(), "I-08", f"{self.name}: chain {head} changed meanwhile")
        entry = self.used + 4 + 8 * (self.idx % self.size)
        self.memory.write(entry, struct.pack("<II", head, length))
        self.jump(1)

    def jump(self, n):
        """Add n to used.idx."""
        self.idx = (self.idx + n) & 0xFFFF
        self.memory.set_word(self.used + 2, 2, self.idx)

    def interrupt_wanted(self):
        """Whether the driver wants to hear of what was pushed since the last call."""
        old, self._told = self._told, self.idx
        if self.event_idx:
            event = self.memory.word(self.avail + 4 + 2 * self.size, 2)
            return passed(event, self.idx, old)
        return self.memory.word(self.avail, 2) & 1 == 0

    def wind(self, count):
        """Let both indexes stand at `count`, as if so many chains had gone round."""
        self.taken = self.idx = self._told = self._kicked = count
        self.memory.set_word(self.avail + 2, 2, count)
        self.memory.set_word(self.used + 2, 2, count)
        self.memory.set_word(self.avail + 4 + 2 * self.size, 2, count)
        self.ask()
