# SPDX-License-Identifier: MIT
"""card.reset(): a card is as new, whatever became of it."""

import errno
import struct

import pytest

from duplex import read, sound, streams
from sim import CONTROLQ, EVENT_IDX, NEVER, OK, TXQ, VERSION_1, MmioTransport
from virtsnd.mmio_legacy import LegacyMmioTransport
from vsnd_helpers import pattern, play, refusal, stream


@pytest.fixture(params=[MmioTransport, LegacyMmioTransport], ids=["modern", "legacy"])
def card(request, rig_of):
    """A card with an output and an input; `card.rig` is its Rig."""
    rig = rig_of(
        streams=streams(1, 1), transport=request.param, features=VERSION_1 | EVENT_IDX
    )
    card = rig.vsnd.open()
    card.rig = rig
    return card


def is_as_new(card, free):
    """It plays and records, and all memory but its own is free."""
    rig = card.rig
    assert card is rig.vsnd.open()
    assert rig.dma.available() == free
    before = len(stream(rig).played)
    data, out = play(rig, card, (480 * 6,), stream=0)
    out.close()
    assert bytes(stream(rig).played)[before:] == data
    with card.input(stream=1) as mic:
        assert read(mic, 700) == sound(700 * 4, 1)
    assert rig.dma.available() == free
    assert rig.guards()


def never_returned(card):
    card.rig.sound.pick = lambda pending: None
    out = card.output()
    refusal(errno.ETIMEDOUT, out.write, pattern(out, 6))
    card.rig.sound.pick = lambda pending: 0


def wrong_entry(card):
    out = card.output()
    card.rig.device.used = lambda index, head, n: [(77, n)] if index == TXQ else [(head, n)]
    refusal(errno.EIO, out.write, pattern(out, 30))
    card.rig.device.used = lambda index, head, n: [(head, n)]


def never_answered(card):
    out = card.output()
    out.write(pattern(out, 3))
    card.rig.sound.script["START"].append(NEVER)
    refusal(errno.ETIMEDOUT, out.start)


def needs_reset(card):
    card.output().write(bytes(6 * 1920))
    card.rig.transport.need_reset()
    card.device.fail("it said so")


def failed(card):
    card.device.transport.add_status(128)


def playing(card):
    out = card.output()
    out.write(pattern(out, 9))


def recording(card):
    read(card.input(), 1000)


def paused(card):
    playing(card)
    card._users[0].pause()


def draining(card):
    out = card.output()
    out.write(pattern(out, 4))
    card.rig.sound.pick = lambda pending: None
    refusal(errno.ETIMEDOUT, out.drain)
    card.rig.sound.pick = lambda pending: 0


def wrong_length(card):
    card.rig.device.used = lambda index, head, n: [(head, 99)]
    refusal(errno.EIO, card.output)
    card.rig.device.used = lambda index, head, n: [(head, n)]


STATES = (
    never_returned, wrong_entry, never_answered, needs_reset, failed, playing, recording, paused,
    draining, wrong_length, lambda card: None, lambda card: card.close(),
)
NAMES = [state.__name__.replace("_", " ") for state in STATES[:-2]] + ["idle", "closed"]


@pytest.mark.parametrize("state", STATES, ids=NAMES)
@pytest.mark.parametrize("times", [1, 2])
def test_from_any_state(card, state, times):
    free = card.rig.dma.available()
    state(card)
    users = list(card._users)
    begin = card.rig.clock.now
    for _ in range(times):
        card.reset()
    assert card.rig.clock.now - begin < 4_000_000
    assert [user.state for user in users] == ["CLOSED"] * len(users) and not card._users
    is_as_new(card, free)


@pytest.mark.parametrize("state", [playing, recording, never_returned, needs_reset])
def test_streams_of_before_say_what_happened(card, state):
    free = card.rig.dma.available()
    state(card)
    (pcm,) = card._users
    card.reset()
    before = bytes(card.rig.board.arena)
    move = pcm.write if pcm.move == "write" else pcm.readinto
    text = "the card was reset: open stream %d again" % pcm.stream.id
    assert text in refusal(errno.ENODEV, move, bytearray(pcm.period_bytes))
    for call in (pcm.start, pcm.stop, pcm.prepare, pcm.release, pcm.set_params, pcm.drain):
        assert text in refusal(errno.ENODEV, call)
    pcm.pause(), pcm.resume(), pcm.drop(), pcm.close(), pcm.abort()
    with pytest.raises(RuntimeError, match="mine"):
        with pcm:
            raise RuntimeError("mine")
    assert pcm.ioctl(3, 5) == 32  # POLLNVAL: whoever waits for it goes on, into the error
    assert bytes(card.rig.board.arena) == before
    is_as_new(card, free)


@pytest.mark.parametrize(("queue", "text"), [(CONTROLQ, "than it has"), (TXQ, "with status 0x0")])
def test_what_comes_late_counts_for_nothing(card, queue, text):
    # A device that holds chains over its reset and returns them then, by their old heads.
    rig = card.rig
    free = rig.dma.available()
    rig.sound.script["START"].append(NEVER)
    out = card.output()
    refusal(errno.ETIMEDOUT, out.write, pattern(out, 6))
    old = list(rig.device.rings[queue].owned)
    assert old
    card.reset()
    out = card.output()
    rig.device.rings[queue].push(old[0], 4 if queue == CONTROLQ else 8)
    assert text in refusal(errno.EIO, out.write, pattern(out, 6))
    card.reset()
    is_as_new(card, free)


def test_a_device_that_does_not_confirm(card):
    rig = card.rig
    free = rig.dma.available()
    own = len(rig.board.arena) - free
    out = card.output()
    out.write(pattern(out, 6))
    used = len(rig.board.arena) - rig.dma.available()
    rig.transport.force["Status"] = lambda value: 4
    for _ in range(3):
        begin = rig.clock.now
        assert "Status is not 0" in refusal(errno.ETIMEDOUT, card.reset)
        assert rig.clock.now - begin < 4_000_000
        assert out.state == "CLOSED"
        # All of the card is in quarantine, but for the stream, which gave back what it had.
        assert own <= len(rig.board.arena) - rig.dma.available() < used
    assert "closed" in refusal(errno.EIO, card.output)
    del rig.transport.force["Status"]
    card.reset()
    is_as_new(card, free)


def test_memory_that_a_hung_device_has_is_nobodys_until_the_reset_is_confirmed(card):
    rig = card.rig
    free = rig.dma.available()
    rig.sound.pick = lambda pending: None
    rig.sound.flush = lambda pending: []
    out = card.output()
    refusal(errno.ETIMEDOUT, out.write, pattern(out, 6))
    used = rig.dma.available()
    rig.transport.force["Status"] = lambda value: 4
    refusal(errno.ETIMEDOUT, card.reset)
    assert rig.dma.available() == used
    # It may write there whenever it wants.
    taken = rig.dma.alloc(rig.dma.available() // 2)
    for chain, _ in list(stream(rig).pending):
        chain.write(struct.pack("<II", OK, 0))
    assert taken.load() == bytes(taken.size)
    rig.dma.free(taken)
    del rig.transport.force["Status"]
    assert card.device.transport.status() == 0  # at last
    rig.sound.pick, rig.sound.flush = lambda pending: 0, list
    again = rig.vsnd.open()  # or card.reset()
    assert rig.dma.available() == free
    again.rig = rig
    is_as_new(again, free)


def test_a_card_that_was_opened_again_is_another(card):
    card.close()
    other = card.rig.vsnd.open()
    assert "opened again" in refusal(errno.EBUSY, card.reset)
    other.close()
    card.reset()
    assert card.rig.vsnd.open() is card


def test_records_and_events(rig_of):
    rig = rig_of(streams=streams(1, 0))
    card = rig.vsnd.open()
    seen = []
    card.events.irq(lambda event: seen.append(event.name))
    rig.device.sound.infos += streams(1, 0)
    card.reset()
    assert len(card.streams) == 2
    for _ in range(20):  # more than there are buffers
        rig.transport.config_changed()
        rig.device.event(0x1101, 0)
        rig.clock.run(1000)
        card.output().close()
    assert seen.count("CONFIG_CHANGED") == 20
    assert rig.device.lost_events == 0


# A callback resets it, in the middle of what the program does


class Callback:
    def __init__(self, rig, after_us):
        self.rig = rig
        self.done = False
        rig.clock.at(rig.clock.now + after_us, self.schedule)

    def schedule(self):
        self.rig.board._schedule(self.run, None)
        self.rig.board._interrupted = True

    def run(self, _):
        self.card.reset()
        self.done = True


@pytest.mark.parametrize("what", ["write", "drain", "readinto", "start", "release", "request"])
def test_by_a_callback(rig_of, what):
    rig = rig_of(streams=streams(1, 1))
    card = rig.vsnd.open()
    card.rig = rig
    free = rig.dma.available()
    if what in ("start", "release", "request"):
        rig.device.delay = lambda index, head: 500_000
    if what == "request":
        call = card.refresh
    elif what == "readinto":
        mic = card.input()
        def call():
            return mic.readinto(bytearray(1920 * 300))

    else:
        out = card.output()
        out.write(pattern(out, 3))
        call = getattr(out, what)
        if what == "write":

            def call():
                return out.write(bytes(1920 * 300))

    callback = Callback(rig, 20_000)
    callback.card = card

    def settled():
        rig.device.delay = lambda index, head: 0

    rig.clock.at(rig.clock.now + 19_000, settled)
    begin = rig.clock.now
    with pytest.raises(OSError, match="reset"):
        call()
    assert callback.done
    assert rig.clock.now - begin < 3_000_000
    is_as_new(card, free)
