# SPDX-License-Identifier: MIT
"""A driver's program on a device with a fault, and once more on the good one; see
test_robustness_*.py."""

import errno

import sim
import virtsnd
from rig import Rig
from virtsnd.mmio_legacy import LegacyMmioTransport

TRANSPORTS = {"modern": sim.MmioTransport, "legacy": LegacyMmioTransport}
ACCESS = sim.protocol.READ | sim.protocol.WRITE | sim.protocol.TLV_READ

PERIOD = 480 * 4
LIMIT_US = 15_000_000  # of simulated time, for a whole program


def sound(n, seed=0):
    return bytes((11 * i + i // 253 + seed) & 0xFF for i in range(n))


DATA = sound(14 * PERIOD)
AFTERWARDS = sound(9 * PERIOD, 77)
FEED = sound(200_000, 33)

OPTIONS = {
    "streams": (sim.StreamInfo(), sim.StreamInfo(direction=1, feed=FEED)),
    "jacks": (sim.JackInfo(), sim.JackInfo(connected=False)),
    "chmaps": (sim.ChmapInfo(), sim.ChmapInfo(direction=1)),
    "controls": (
        sim.Control(access=ACCESS, tlv=sim.tlv(1, -6000, 100)),
        sim.Control(
            "Source", sim.protocol.ENUMERATED, count=1, access=ACCESS, items=("Mic", "Line")
        ),
    ),
    "features": sim.VERSION_1 | sim.EVENT_IDX | sim.INDIRECT_DESC | sim.CTLS,
}


# Programs, as a user has them


def play(card):
    with card.output() as out:
        out.write(DATA)


def drop(card):
    with card.output() as out:
        out.write(DATA)
        out.drop()


def record(card):
    buf = bytearray(len(DATA))
    with card.input() as mic:
        mic.readinto(buf)
    return bytes(buf)


def control(card):
    found = []
    for item in card.controls:
        found.append((repr(item), item.items))
        item.write(item.read())
        if item.type == "INTEGER":
            item.db()
    return found


def program_of(fault):
    if fault.name.endswith("-rx") or fault.name.startswith("recorded"):
        return record
    if getattr(fault.where, "name", "").startswith("CTL_") and fault.where.name != "CTL_INFO":
        return control
    return drop if fault.name.startswith("release") else play


def line(error):
    """What the board prints last of an uncaught OSError."""
    name = "EOPNOTSUPP" if error.errno == errno.EOPNOTSUPP else errno.errorcode[error.errno]
    assert "\n" not in error.strerror and len(error.strerror) < 200
    return f"OSError: [Errno {error.errno}] {name}: {error.strerror}"


class Case:
    """A Rig with the modules loaded, within a `with`. `card` is the one that is open, or None."""

    def __init__(self, transport="modern", **options):
        self.rig = Rig(transport=TRANSPORTS[transport], **{**OPTIONS, **options})
        self.card = None

    def __enter__(self):
        sim.breaches.clear()
        self._context = self.rig.board.installed()
        self._context.__enter__()
        self.rig.load()
        self.free = self.rig.dma.available()
        return self

    def __exit__(self, *exception):
        self._context.__exit__(*exception)
        breaches = list(sim.breaches)
        sim.breaches.clear()
        assert exception[0] or not breaches

    @property
    def played(self):
        return bytes(self.rig.sound.streams[0].played)

    def run(self, fault, program):
        """Run the program on a device with the fault, to its end or its OSError.

        Return the line of that error, None without one, and what the program returned.
        """
        injection = virtsnd.inject(self.rig.device, fault)
        start = self.rig.clock.now
        error = data = None
        try:
            self.card = self.rig.vsnd.open()
            data = program(self.card)
        except OSError as caught:
            error = line(caught)
        assert injection.happened, "the fault did not happen"
        injection.remove()
        assert self.rig.clock.now - start < LIMIT_US
        return error, data

    def good(self):
        """After card.reset(), if there is a card, and after close() and open(), it does all;
        no memory is lost or was hurt."""
        rig = self.rig
        if self.card:
            self.card.reset()
            play(self.card)
            assert self.played == DATA
            self.card.close()
        card = rig.vsnd.open()
        assert [len(items) for items in (card.streams, card.jacks, card.chmaps)] == 3 * [2]
        with card.output() as out:
            out.write(AFTERWARDS)
        assert self.played == AFTERWARDS
        assert record(card) == FEED[: len(DATA)]
        assert len(control(card)) == 2
        card.close()
        self.card = None
        self.untouched()

    def untouched(self):
        """All memory is free, none was touched that the driver never had, and none is now."""
        rig = self.rig
        before = bytes(rig.board.arena)
        rig.clock.run(3_000_000)
        assert bytes(rig.board.arena) == before
        assert rig.dma.available() == self.free
        assert rig.guards()
