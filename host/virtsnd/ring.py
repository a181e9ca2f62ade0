# SPDX-License-Identifier: MIT
"""The device's side of a split virtqueue (VirtIO 1.3, 2.7)."""

import struct

from .protocol import TXQ
from .rules import rule

NEXT = 1
WRITE = 2
INDIRECT = 4


def passed(event, new, old):
    """Whether a step of an index from old to new goes over `event` (2.7.10)."""
    return (new - event - 1) & 0xFFFF < (new - old) & 0xFFFF


class Chain:
    """What the driver handed over: parts to read, then parts to write, as (address, bytes)."""

    def __init__(self, memory, head, queue=TXQ):
        self.memory = memory
        self.head = head
        self.queue = queue  # its number
        self.readable = []
        self.writable = []
        self.descriptors = {}  # by address: the 16 bytes as they were when the chain came

    @property
    def room(self):
        return sum(n for _, n in self.writable)

    def read(self):
        return b"".join(self.memory.read(address, n) for address, n in self.readable)

    def write(self, data, at=0):
        """Put data at a byte of the writable parts; what does not fit is cut.

        Return the bytes written.
        """
        done = 0
        for address, n in self.writable:
            if at < n and done < len(data):
                piece = data[done : done + n - at]
                self.memory.write(address + at, piece)
                done += len(piece)
            at = max(at - n, 0)
        return done

    def untouched(self):
        return all(
            self.memory.read(address, 16) == was for address, was in self.descriptors.items()
        )


class Ring:
    """A split virtqueue; its parts lie at desc, avail and used in `memory`.

    event_idx and indirect: whether those features were negotiated. poison: put nonsense where the
    driver must not look. silent: ask for no kicks. descriptors_max: a chain with more descriptors
    is called excessive (None: as many as the queue has are fine).
    """

    def __init__(self, memory, index, size, desc, avail, used, event_idx=False, poison=True,
                 indirect=False, descriptors_max=None):
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
        self.indirect = indirect
        self.poison = poison
        self.silent = False
        self.descriptors_max = descriptors_max or size
        self.owned = {}  # by head: chains that came and did not go back
        self.taken = 0  # avail.idx up to which chains were taken
        self.idx = 0  # used.idx
        self._told = 0  # used.idx at the last decision about an interrupt
        self._kicked = 0  # avail.idx at the last kick
        self._waiting = None  # avail.idx, if at the last look a kick was due
        rule(self._word(used) == 0, "Q-16", f"{name}: used.flags not 0")
        for address, n in ((desc, 16 * size), (avail, 6 + 2 * size), (used, 6 + 8 * size)):
            memory.read(address, n)
        self.ask()

    def _word(self, address):
        return int.from_bytes(self.memory.read(address, 2), "little")

    def _set_word(self, address, value):
        self.memory.write(address, (value & 0xFFFF).to_bytes(2, "little"))

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
        self._set_word(self.used, int(flags))
        self._set_word(self.used + 4 + 8 * self.size, event)

    def kicked(self):
        """Check a kick against what was asked for; more than was asked for is only unkind."""
        new = self.avail_idx()
        wanted = self._wanted(new)
        self._kicked = new
        return wanted

    def _wanted(self, new):
        if self.event_idx:
            return passed(self._word(self.used + 4 + 8 * self.size), new, self._kicked)
        return not self.silent

    def unkicked(self):
        """Whether chains came, no kick for them, and that was so at the last call already.

        It is said only once.
        """
        new = self.avail_idx()
        due = new not in (self.taken, self._kicked) and self._wanted(new)
        before, self._waiting = self._waiting, new if due else None
        if not due or before != new:
            return False
        self._kicked = new
        return True

    # Available ring

    def avail_idx(self):
        idx = self._word(self.avail + 2)
        ahead = (idx - self.taken) & 0xFFFF
        rule(
            ahead + len(self.owned) <= self.size,
            "Q-11",
            f"{self.name}: avail.idx {idx}, {self.taken} taken, {len(self.owned)} not returned",
        )
        flags = self._word(self.avail)
        if self.event_idx:
            rule(flags == 0, "Q-13", f"{self.name}: avail.flags {flags} with EVENT_IDX")
        else:
            rule(flags <= 1, "Q-12", f"{self.name}: avail.flags {flags}")
        return idx

    def pop(self):
        """The next Chain, None if there is none."""
        if self.avail_idx() == self.taken:
            return None
        head = self._word(self.avail + 4 + 2 * (self.taken % self.size))
        rule(head not in self.owned, "I-08", f"{self.name}: chain {head} was not returned yet")
        chain = self._walk(head)
        self.taken = (self.taken + 1) & 0xFFFF
        self.owned[head] = chain
        return chain

    def _walk(self, head):
        chain = Chain(self.memory, head, self.index)
        table, entries, at = self.desc, self.size, head
        whose = f"{self.name}: chain {head}"
        while True:
            rule(at < entries, "Q-08", f"{whose}: descriptor {at} of {entries}")
            address = table + 16 * at
            rule(address not in chain.descriptors, "Q-04", f"{whose} is a loop")
            raw = self.memory.read(address, 16)
            chain.descriptors[address] = raw
            pa, n, flags, following = struct.unpack("<QIHH", raw)
            rule(n, "Q-03", f"{whose}: a descriptor of 0 bytes")
            if flags & INDIRECT:
                rule(self.indirect, "Q-06", f"{whose}: INDIRECT was not negotiated")
                rule(table == self.desc, "Q-07", f"{whose}: INDIRECT in an indirect table")
                rule(not flags & NEXT, "Q-09", f"{whose}: INDIRECT and NEXT")
                rule(n % 16 == 0, "2.7.5.3", f"{whose}: an indirect table of {n} bytes")
                table, entries, at = pa, n // 16, 0
                continue
            part = (pa, n)
            if flags & WRITE:
                chain.writable.append(part)
            else:
                rule(not chain.writable, "Q-02", f"{whose} reads after writing")
                chain.readable.append(part)
            count = len(chain.readable) + len(chain.writable)
            rule(count <= self.size, "Q-08", f"{whose}: longer than the queue, {self.size}")
            excess = count > self.descriptors_max
            rule(not excess, "Q-03", f"{whose}: more than {self.descriptors_max} descriptors")
            if not flags & NEXT:
                break
            at = following
        total = chain.room + sum(n for _, n in chain.readable)
        rule(total <= 1 << 32, "Q-04", f"{whose} has {total} bytes")
        for part in chain.writable:
            self.memory.read(*part)  # it is memory at all
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

    def scribble(self, byte=0xFF):
        """Overwrite the descriptor table, as no device may (2.7.5.1)."""
        self.memory.write(self.desc, bytes([byte]) * (16 * self.size))
        for chain in self.owned.values():
            for address in chain.descriptors:
                chain.descriptors[address] = self.memory.read(address, 16)

    def jump(self, n):
        """Add n to used.idx."""
        self.idx = (self.idx + n) & 0xFFFF
        self._set_word(self.used + 2, self.idx)

    def interrupt_wanted(self):
        """Whether the driver wants to hear of what was pushed since the last call."""
        old, self._told = self._told, self.idx
        if self.event_idx:
            event = self._word(self.avail + 4 + 2 * self.size)
            return passed(event, self.idx, old)
        return self._word(self.avail) & 1 == 0

    def wind(self, count):
        """Let both indexes stand at `count`, as if so many chains had gone round."""
        self.taken = self.idx = self._told = self._kicked = count
        for address in (self.avail + 2, self.used + 2, self.avail + 4 + 2 * self.size):
            self._set_word(address, count)
        self.ask()
