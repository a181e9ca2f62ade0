# SPDX-License-Identifier: MIT
"""modules/virtio/cycle.py: several streams on a queue, and one that is alone again."""

import errno
import struct

import pytest

import sim
from cycle_bench import OK, SLOT, Owner, QueueBench

SIZE = 64
DUE = 1000  # µs from one return to the next: see QueueBench.soon()


class Voice:
    """One Outflow with an owner, and what it wrote."""

    def __init__(self, share, number, limit=4, slot=SLOT, kick=True):
        self.header = struct.pack("<I", number)
        self.owner = Owner()
        self.cycle = self.owner.cycle = share.rig.virtio.Outflow(
            share.dev, share.queue, self.header, slot, 4, limit, OK, self.owner, kick
        )
        self.number = number
        self.slot = slot
        self.sent = bytearray()
        share.heard.setdefault(number, bytearray())

    def write(self, n, copy=True):
        data = bytes((self.number * 37 + 7 * i + i // 256) & 0xFF for i in range(n))
        assert self.cycle.write(data, copy) == n
        self.sent += data


class Share(QueueBench):
    """Voices; the device gives back what `pick` chooses of all that it holds."""

    def __init__(self, rig, start=0):
        super().__init__(rig, SIZE, start)
        self.heard = {}  # by number of the voice
        self.pick = lambda held: 0

    def take(self, chain):
        data = chain.read()
        self.heard[struct.unpack_from("<I", data)[0]] += data[4:]

    def back(self, at=0, length=8, status=OK):
        chain = self.held.pop(at)
        chain.write(struct.pack("<II", status, 0))
        self.ring.push(chain.head, length)
        self.tell()

    def pace(self):
        """From now on a slot comes back every millisecond, whoever's."""

        def due():
            if self.held:
                self.back(self.pick(self.held))
            self.soon(due)

        self.soon(due)

    def run(self, us=20_000):
        super().run(us)

    def settled(self, *voices):
        """All that was written was heard, and came back."""
        self.run()
        for voice in voices:
            assert voice.cycle.in_flight() == 0
            assert voice.cycle.error is None
            assert self.heard[voice.number] == voice.sent
        assert self.dev.error is None
        assert not self.queue.busy


PICKS = {
    "first": lambda held: 0,
    "last": lambda held: len(held) - 1,
    "middle": lambda held: len(held) // 2,
}


@pytest.fixture(params=["event_idx", "flags", "event_idx-indirect", "flags-indirect"])
def rig(request, rig_of):
    names = {"event_idx": sim.EVENT_IDX, "indirect": sim.INDIRECT_DESC}
    return rig_of(
        features=sim.VERSION_1 | sum(bit for name, bit in names.items() if name in request.param)
    )


@pytest.mark.parametrize("start", [0, 65500, 65535])
@pytest.mark.parametrize("pick", PICKS)
def test_three_voices_in_turn(rig, start, pick):
    share = Share(rig, start)
    share.pick = PICKS[pick]
    share.pace()
    voices = [Voice(share, 1, 2), Voice(share, 2, 3), Voice(share, 3, 4, 2 * SLOT)]
    for n in (4, 28, 32, 36, 100, 12, 200, 64, 8):
        for voice in voices:
            voice.write(n, copy=n % 3 > 0)
    for voice in voices:
        voice.write(-len(voice.sent) % voice.slot)
    share.settled(*voices)
    for voice in reversed(voices):
        voice.cycle.close()
    assert rig.dma.available() == share.free
    assert rig.guards()


@pytest.mark.parametrize("before", [0, 1, 3, 5])
@pytest.mark.parametrize("start", [0, 65534])
def test_a_second_voice_while_the_first_has_slots_out(rig, before, start):
    share = Share(rig, start)
    first = Voice(share, 1)
    share.pace()
    first.write(before * SLOT)
    second = Voice(share, 2)
    for _ in range(5):
        second.write(3 * SLOT)
        first.write(2 * SLOT)
    share.settled(first, second)


@pytest.mark.parametrize("early", [0, 1, 2, 3])
def test_a_second_voice_while_the_first_waits_for_an_old_slot(rig, early):
    share = Share(rig)
    first = Voice(share, 1)
    first.write(4 * SLOT)
    share.run(100)
    for _ in range(early):
        share.back(1)  # all but the oldest
    first.cycle.in_flight()
    second = Voice(share, 2)
    share.pace()
    second.write(9 * SLOT)
    first.write(9 * SLOT)
    share.settled(first, second)


@pytest.mark.parametrize("when", range(1, 12))
def test_a_second_voice_while_the_first_sleeps(rig, when):
    share = Share(rig)
    share.pace()
    first = Voice(share, 1)
    opened = []

    def open(_):
        second = Voice(share, 2)
        second.write(3 * SLOT + 8)
        opened.append(second)

    rig.clock.at(when * DUE - 1, lambda: rig.board._schedule(open, None))
    first.write(20 * SLOT)
    assert opened
    opened[0].write(SLOT - 8)
    first.write(SLOT)
    share.settled(first, *opened)


def test_alone_and_fast_again(rig):
    share = Share(rig)
    share.pace()
    first, second = Voice(share, 1), Voice(share, 2)
    first.write(5 * SLOT)
    second.write(5 * SLOT)
    share.settled(first, second)
    alone = share.rig.virtio.cycle.ALONE
    assert not first.cycle.counters[alone]
    second.cycle.close()
    first.cycle.claim()
    assert first.cycle.counters[alone]
    submitted = []
    submit = first.cycle.submit
    first.cycle.submit = lambda upto: submitted.append(submit(upto))
    kicks = len(rig.device.kicks)
    first.write(40 * SLOT)
    share.settled(first)
    assert not submitted
    assert len(rig.device.kicks) - kicks <= 41
    # And shared once more.
    first.cycle.submit = submit
    third = Voice(share, 3)
    third.write(6 * SLOT)
    first.write(6 * SLOT)
    share.settled(first, third)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("pick", PICKS)
def test_closed_in_any_order_and_the_others_go_on(rig, order, pick):
    share = Share(rig, 65520)
    share.pick = PICKS[pick]
    share.pace()
    voices = [Voice(share, number) for number in (1, 2, 3)]
    rest = list(voices)
    for at in order:
        for voice in rest:
            voice.write(7 * SLOT)
        share.settled(*rest)
        voices[at].cycle.close()
        rest.remove(voices[at])
        for voice in rest:
            voice.cycle.claim()
    assert rig.dma.available() == share.free


def test_rings_are_not_taken_over_while_something_is_out(rig):
    share = Share(rig)
    first, second = Voice(share, 1), Voice(share, 2)
    first.write(2 * SLOT)
    second.write(2 * SLOT)
    share.run(100)
    second.cycle.close()  # with two slots at the device: they are orphans
    first.cycle.claim()
    assert not first.cycle.counters[share.rig.virtio.cycle.ALONE]
    share.pace()
    first.write(9 * SLOT)
    share.settled(first)
    first.cycle.close()
    assert rig.dma.available() < share.free
    share.dev.close()
    assert rig.dma.available() == len(rig.dma.arena)
    assert rig.guards()


@pytest.mark.parametrize("batch", [1, 2, 4, 8])
@pytest.mark.parametrize("kick", [True, False])
def test_who_comes_after_one_that_was_alone_is_woken_for_every_slot(rig, batch, kick):
    share = Share(rig)
    first = Voice(share, 1, 16)
    first.write(16 * SLOT)
    first.cycle.rest(batch)
    share.run(100)
    for _ in range(16):
        share.back()
    first.cycle.close()
    second = Voice(share, 2, 2, kick=kick)
    rig.device.silent = True
    share.pace()
    rig.clock.at(0, poll := lambda: (share.serve(0), share.soon(poll)))
    at = rig.clock.now
    second.write(8 * SLOT)
    assert rig.clock.now - at < 12 * DUE


def test_a_closed_voice_leaves_the_queue_alone(rig):
    share = Share(rig)
    share.pace()
    first = Voice(share, 1)
    first.write(3 * SLOT)
    share.settled(first)
    first.cycle.close()
    returned = first.cycle.returned()
    second = Voice(share, 2)
    second.write(4 * SLOT)
    for _ in range(10):
        first.cycle.reap()
        assert first.cycle.in_flight() == 0
        assert first.cycle.returned() == first.cycle.submitted() == returned
        second.write(SLOT)
    share.settled(second)


# Kicks


@pytest.mark.parametrize("polled", [1, 2, 3])
def test_a_kick_for_one_is_not_lost_because_another_needs_none(rig, polled):
    share = Share(rig)
    quiet, loud = Voice(share, 1, kick=False), Voice(share, 2)
    quiet.write(polled * SLOT)
    assert not rig.device.kicks
    loud.write(SLOT)
    assert rig.device.kicks == [0]
    share.run(100)
    assert len(share.held) == polled + 1
    quiet.write(SLOT)
    assert rig.device.kicks == [0]
    share.pace()
    loud.write(9 * SLOT)
    share.settled(quiet, loud)


def test_no_kick_for_a_device_that_wants_none(rig):
    share = Share(rig)
    share.ring.silent = True
    share.ring.ask()
    for voice in (Voice(share, 1), Voice(share, 2)):
        voice.write(3 * SLOT)
    assert not rig.device.kicks


# A device that is wrong


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda ring, heads: ring.push(heads[1] + 1, 8), id="middle of a chain"),
        pytest.param(lambda ring, heads: ring.push(63, 8), id="never laid out"),
        pytest.param(lambda ring, heads: ring.push(64, 8), id="beyond the table"),
        pytest.param(lambda ring, heads: [ring.push(heads[0], 8) for _ in "12"], id="twice"),
        pytest.param(lambda ring, heads: ring.push(heads[2], 8), id="not submitted"),
        pytest.param(lambda ring, heads: ring.push(heads[1], 9), id="too long"),
        pytest.param(lambda ring, heads: ring.jump(9), id="used.idx jumps"),
    ],
)
@pytest.mark.parametrize("before", [0, 3, 70])
def test_wrong_used_entries_break_the_queue_for_both(rig, wrong, before):
    share = Share(rig)
    share.pace()
    first, second = Voice(share, 1), Voice(share, 2)
    for _ in range(before):
        first.write(SLOT)
        second.write(SLOT)
    share.settled(first, second)
    first.write(2 * SLOT)
    second.write(2 * SLOT)
    share.rig.device.serve = lambda index: None
    share.held.clear()
    heads = [first.cycle.heads[i % 4] for i in range(before, before + 4)]
    wrong(share.ring, heads)
    for voice in (first, second):
        with pytest.raises(OSError) as caught:
            voice.write(8 * SLOT)
        assert caught.value.errno == errno.EIO
    assert share.dev.error
    share.dev.close()
    assert rig.guards()


@pytest.mark.parametrize("at", [0, 1], ids=["in order", "before an older one"])
@pytest.mark.parametrize(
    "answer, why",
    [({"status": 0x8003}, "status 0x8003"), ({"length": 4}, "4 bytes of status")],
    ids=["status", "length"],
)
def test_a_bad_status_is_its_owners_alone(rig, at, answer, why):
    share = Share(rig)
    first, second = Voice(share, 1), Voice(share, 2)
    first.write(2 * SLOT)
    second.write(2 * SLOT)
    share.run(100)
    share.back(at, **answer)
    share.pace()
    second.write(8 * SLOT)
    with pytest.raises(OSError, match=why):
        first.write(8 * SLOT)
    second.write(SLOT)
    assert share.heard[2] == second.sent[: len(share.heard[2])]


@pytest.mark.parametrize("copy", [True, False])
def test_what_does_not_fit_leaves_the_others_as_they_were(rig, copy):
    share = Share(rig)
    share.pace()
    voices = []
    with pytest.raises(OSError, match="descriptors, and no .* of them free") as caught:
        while True:
            free = rig.dma.available()
            voices.append(Voice(share, len(voices) + 1, 4))
    assert caught.value.errno == errno.ENOSPC
    assert rig.dma.available() == free
    assert len(voices) == (16 if share.queue.indirect else 5)
    for voice in voices:
        voice.write(5 * SLOT, copy)
    share.run(200_000)
    share.settled(*voices)
