# SPDX-License-Identifier: MIT
"""A driver's whole life on a device that offers much or little, as a list of register accesses."""

from collections import namedtuple

import sim
from vsnd_helpers import pattern

OPTIONS = {
    "streams": (sim.StreamInfo(), sim.StreamInfo(direction=1)),
    "jacks": (sim.JackInfo(),),
    "controls": (sim.Control(),),
}

# access: "R" or "W". offset and bytes as the processor had them. name: of the register, or Config.
Access = namedtuple("Access", "access offset bytes name value")


class Log(list):
    """All Access of a Rig from now on, in their order."""

    def __init__(self, rig):
        super().__init__()
        page = rig.transport
        self.names = {offset: name for offset, (name, _) in page.REGISTERS.items()}
        self._read, self._write = page.read, page.write
        page.read, page.write = self.read, self.write

    def note(self, access, offset, n, value):
        name = "Config" if offset >= 0x100 else self.names.get(offset)
        self.append(Access(access, offset, n, name, value))

    def read(self, offset, n):
        value = self._read(offset, n)
        self.note("R", offset, n, value)
        return value

    def write(self, offset, n, value):
        self.note("W", offset, n, value)
        self._write(offset, n, value)

    def values(self, access, name):
        return [each.value for each in self if (each.access, each.name) == (access, name)]

    def writes(self, *names):
        """(name, value) of what was written to these registers, or to all."""
        return [
            (each.name, each.value)
            for each in self
            if each.access == "W" and (not names or each.name in names)
        ]

    def lives(self):
        """The list in pieces that begin with a reset; what came before the first is left out."""
        starts = [
            at for at, each in enumerate(self)
            if (each.access, each.name, each.value) == ("W", "Status", 0)
        ]
        return [self[at:end] for at, end in zip(starts, [*starts[1:], len(self)])]


def live(rig):
    """Play, record, listen, change, end and begin again; return the Log."""
    log = Log(rig)
    for _ in range(2):
        card = rig.vsnd.open()
        out, mic = card.output(), card.input()
        for jack in (True, False):
            rig.device.plug(0, jack)
        out.write(pattern(out, 9))
        rig.transport.interrupt(3)
        out.pause()
        out.resume()
        mic.readinto(bytearray(mic.period_bytes * 3))
        rig.device.change(chmaps=(sim.ChmapInfo(),))
        assert card.events.wait(100).name == "JACK_CONNECTED"
        card.refresh()
        mic.close()
        out.close()
        card.close()
    rig.vsnd.open().output().write(bytes(1920 * 5))
    rig.board.soft_reset()
    return log


def is_of_one_configuration(rig, at):
    """The card is what a device says that changes just before the driver reads at offset `at`."""
    read, new = rig.transport.read, dict(
        jacks=(sim.JackInfo(),) * 2, streams=(sim.StreamInfo(),) * 3, chmaps=(sim.ChmapInfo(),) * 4
    )

    def reads(offset, n):
        if offset == at and new:
            rig.device.change(**new)
            new.clear()
        return read(offset, n)

    rig.transport.read = reads
    card = rig.vsnd.open()
    assert [len(x) for x in (card.jacks, card.streams, card.chmaps)] == [2, 3, 4]
