# SPDX-License-Identifier: MIT
"""virtsnd.vhost_user: rings, a device's life, and drivers that break rules."""

import contextlib
import os
import struct
import time

import pytest
import vhost_front as front
from vhost_front import (
    BAD_MSG, BASE, BUFFERS, OK, PATIENCE, PERIOD, PREPARE, START, STOP, Front, notified,
    open_files, set_params, u32,
)
from virtsnd import JackInfo


@pytest.fixture
def sound_card(sound_card):
    """Makes a Card whose clock plays nothing by itself."""

    def make(**options):
        card = sound_card(**options)
        card.device.sound.paced = False
        return card

    return make


@pytest.fixture
def qemu_of(sound_card):
    """Makes a Front that has greeted a device with these options; `card` is its device."""
    with contextlib.ExitStack() as stack:

        def make(**options):
            card = sound_card(**options)
            qemu = stack.enter_context(Front(card.path))
            qemu.card = card
            return qemu.greet()

        yield make


@pytest.fixture
def qemu(qemu_of):
    """A Front that has greeted a device with one output; `card` is its device."""
    return qemu_of()


def running(qemu):
    """Starts stream 0, as a driver does."""
    for request in (set_params(), PREPARE, START):
        assert qemu.control(request) == OK
    return qemu


def play(qemu, samples, at=BASE + BUFFERS + 0x4000, stream=0):
    """Queues one buffer. Its head, and where its status is going to be."""
    qemu.put(at, struct.pack("<I", stream) + samples)
    status = at + 0x800
    qemu.put(status, b"\xee" * 8)
    tx = qemu.rings[2]
    return tx.submit((at, 4, 0), (at + 4, len(samples), 0), (status, 8, 1)), status


def until(card, true):
    """Waits until it is true."""
    end = time.monotonic() + PATIENCE
    while not card.call(true):
        assert time.monotonic() < end


def tick(card):
    card.call(card.device.tick)


def test_a_control_request(qemu):
    qemu.start()
    info = struct.pack("<IIQQBBB5x", 0, 0, 1 << 3 | 1 << 4 | 1 << 5 | 1 << 19, 0xFF, 0, 1, 2)
    assert qemu.control(u32(0x100, 0, 1, 32), 36) == OK + info


def test_only_the_drivers_kicks_count(qemu):
    qemu.start()
    assert qemu.control(set_params()) == OK
    os.eventfd_write(qemu.rings[2].kick_fd, 1)
    kicks = qemu.card.device.kicks
    until(qemu.card, lambda: len(kicks) >= 3)
    assert sorted(kicks) == [0, 1, 2]
    assert qemu.card.device.spurious == 0


def test_samples_are_played(qemu):
    running(qemu.start())
    samples = bytes(range(PERIOD))
    head, status = play(qemu, samples)
    assert qemu.get(status, 8) == b"\xee" * 8
    tick(qemu.card)
    assert qemu.rings[2].wait(head) == 8
    assert qemu.get(status, 8) == OK + bytes(4)
    assert qemu.card.streams[0].played == samples


@pytest.mark.parametrize(
    ("features", "flags", "event", "called"),
    [
        (0, 0, 0xFFFF, True),
        (0, 1, 0, False),
        (1 << 29, 0, 0, True),
        (1 << 29, 0, 1, False),
        (1 << 29, 0, 0xFFFF, False),
    ],
)
def test_notifications_only_when_wanted(qemu, features, flags, event, called):
    qemu.start(features | 1 << 32)
    ring = qemu.rings[0]
    qemu.put(ring.avail, struct.pack("<H", flags))
    qemu.put(ring.avail + 4 + 2 * front.RING, struct.pack("<H", event))
    qemu.put(BASE + BUFFERS, set_params())
    ring.submit((BASE + BUFFERS, 24, 0), (BASE + BUFFERS + 0x1000, 4, 1))
    until(qemu.card, ring.used_idx)
    qemu.card.call(int)
    if called:
        assert os.eventfd_read(ring.call_fd) == 1
    else:
        with pytest.raises(BlockingIOError):
            os.eventfd_read(ring.call_fd)


# A device's life


def test_a_reset_begins_another_life(qemu):
    running(qemu.start())
    head, _ = play(qemu, bytes(PERIOD))
    tick(qemu.card)
    qemu.rings[2].wait(head)
    play(qemu, b"lost" * 16)
    qemu.stop()
    assert [ring.base for ring in qemu.rings] == [3, 1, 2, 0]
    qemu.start()
    assert qemu.control(set_params()) == OK  # as nothing came before
    first, second = (life[0] for life in qemu.card.lives)
    assert (first.played, second.played) == (bytes(PERIOD), b"")


def test_a_pause_is_none_of_the_devices_business(qemu):
    running(qemu.start())
    one, two = b"1" * PERIOD, b"2" * PERIOD
    first, _ = play(qemu, one)
    second, status = play(qemu, two, BASE + BUFFERS + 0x6000)
    tick(qemu.card)
    qemu.rings[2].wait(first)
    qemu.stop()
    assert not qemu.card._daemon.clock.running
    qemu.start(clear=False)
    assert qemu.card._daemon.clock.running
    tick(qemu.card)
    assert qemu.rings[2].wait(second) == 8
    assert qemu.control(STOP) == OK
    assert len(qemu.card.lives) == 1
    assert qemu.card.streams[0].played == one + two


def test_nothing_is_touched_after_a_stop(qemu_of):
    qemu = qemu_of(jacks=[JackInfo()])
    running(qemu.start())
    play(qemu, bytes(PERIOD))
    qemu.card.device.sound.paced = True
    qemu.stop()
    before = bytes(qemu.memory)
    os.eventfd_write(qemu.rings[2].kick_fd, 1)
    assert not qemu.card.call(qemu.card.device.plug, 0)
    assert not qemu.card.call(qemu.card.device.plug, 0, False)
    assert qemu.card.device.lost_events == 2
    assert qemu.memory == before


def test_what_was_to_happen_is_forgotten_at_the_next_start(qemu):
    qemu.start()
    qemu.stop()
    seen = []
    qemu.card.call(qemu.card.device.clock.at, 0, lambda: seen.append("too late"))
    qemu.start()
    assert qemu.control(set_params()) == OK
    assert seen == []


def test_one_qemu_after_the_other(sound_card):
    card = sound_card()
    for number in range(3):
        with Front(card.path) as qemu:
            running(qemu.greet().start())
            head, _ = play(qemu, bytes([number]) * PERIOD)
            tick(card)
            qemu.rings[2].wait(head)
        card.settle()
    assert [life[0].played for life in card.lives] == [bytes([n]) * PERIOD for n in range(3)]
    assert card.said == []


def test_files_are_not_leaked(sound_card):
    card = sound_card()
    before = card.call(open_files)
    for _ in range(3):
        with Front(card.path) as qemu:
            qemu.greet().start().stop()
            qemu.start()
        card.settle()
        assert open_files() == before


def test_setup_is_called_at_each_start(sound_card):
    seen = []

    def setup(device):
        seen.append(device)
        device.sound.script["SET_PARAMS"] = [0x8003]

    card = sound_card(setup=setup)
    with Front(card.path) as qemu:
        qemu.greet()
        for _ in range(2):
            qemu.start()
            assert qemu.control(set_params()) == struct.pack("<I", 0x8003)
            assert qemu.control(set_params()) == OK
            qemu.stop()
    assert seen == [card.device] * 2


# Breaches


def breaches(card, *names):
    assert [str(b).partition(":")[0] for b in card.breaches] == list(names)
    assert card.said == [f"breach of {breach}" for breach in card.breaches]


def test_a_request_that_breaks_a_rule(sound_card):
    card = sound_card(breaches={"S-30"})
    with Front(card.path) as qemu:
        qemu.greet().start()
        assert qemu.control(START) == BAD_MSG
        breaches(card, "S-30")
        assert qemu.control(set_params()) == OK


def test_samples_that_break_a_rule(sound_card):
    card = sound_card(breaches={"S-31"})
    with Front(card.path) as qemu:
        running(qemu.greet().start())
        head, status = play(qemu, bytes(PERIOD), stream=7)
        assert qemu.rings[2].wait(head) == 8
        assert qemu.get(status, 8) == struct.pack("<II", 0x8003, 0)
        breaches(card, "S-31")


def test_an_address_that_is_no_memory(sound_card):
    card = sound_card(breaches={"F-09"})
    with Front(card.path) as qemu:
        qemu.greet().start()
        ring = qemu.rings[0]
        head = ring.submit((BASE + front.SIZE - 4, 8, 0), (BASE + BUFFERS, 4, 1))
        assert ring.wait(head) == 4
        assert qemu.get(BASE + BUFFERS, 4) == BAD_MSG
        breaches(card, "F-09")


def test_memory_that_qemu_does_not_share(sound_card):
    card = sound_card(breaches={"F-09"})
    flash = 0x2000_0000
    card.add_memory(flash, set_params())
    with Front(card.path) as qemu:
        qemu.greet().start()
        ring = qemu.rings[0]
        head = ring.submit((flash, 24, 0), (BASE + BUFFERS, 4, 1))
        assert ring.wait(head) == 4
        assert qemu.get(BASE + BUFFERS, 4) == OK
        assert card.breaches == []
        head = ring.submit((flash + 1, 24, 0), (BASE + BUFFERS, 4, 1))
        assert ring.wait(head) == 4
        assert qemu.get(BASE + BUFFERS, 4) == BAD_MSG
        breaches(card, "F-09")


def test_an_answer_in_memory_that_cannot_be_written(sound_card):
    card = sound_card(breaches={"F-09"})
    card.add_memory(0x2000_0000, bytes(64))
    with Front(card.path) as qemu:
        qemu.greet().start()
        qemu.put(BASE + BUFFERS, set_params())
        qemu.rings[0].submit((BASE + BUFFERS, 24, 0), (0x2000_0000, 4, 1))
        notified(qemu.rings[0].err_fd)


def test_an_answer_that_has_no_place(sound_card):
    card = sound_card(breaches={"F-09"})
    with Front(card.path) as qemu:
        qemu.greet().start()
        qemu.put(BASE + BUFFERS, set_params())
        qemu.rings[0].submit((BASE + BUFFERS, 24, 0), (BASE + front.SIZE, 4, 1))
        notified(qemu.rings[0].err_fd)
        assert set(str(b).partition(":")[0] for b in card.breaches) == {"F-09"}


def test_a_broken_ring_is_dead_until_the_reset(sound_card):
    card = sound_card(breaches={"Q-11"})
    with Front(card.path) as qemu:
        running(qemu.greet().start())
        tx = qemu.rings[2]
        tx.offer(0, step=front.RING + 1)
        os.eventfd_write(tx.kick_fd, 1)
        notified(tx.err_fd)
        breaches(card, "Q-11")
        play(qemu, bytes(PERIOD))
        assert qemu.control(STOP) == OK  # the other queues live on
        breaches(card, "Q-11")
        assert tx.used_idx() == 0
        qemu.stop()
        running(qemu.start())
        head, _ = play(qemu, b"alive" * 12)
        tick(card)
        tx.wait(head)
        assert card.streams[0].played == b"alive" * 12


def test_a_misplaced_ring(sound_card):
    card = sound_card(breaches={"Q-01"})
    with Front(card.path) as qemu:
        qemu.greet()
        qemu.rings[3].desc += 8
        qemu.start()
        assert qemu.control(set_params()) == OK
        breaches(card, "Q-01")
        assert qemu.control(PREPARE) == OK


def test_features_that_are_not_for_this_device(sound_card):
    card = sound_card(breaches={"F-04", "F-07"}, features=1 << 32 | 1 << 39)
    with Front(card.path) as qemu:
        qemu.greet().start(1 << 32 | 1 << 39)
        breaches(card, "F-04")
        qemu.stop()
        qemu.start(0)
        breaches(card, "F-04", "F-07")


def test_features_that_are_only_offered(sound_card):
    packed = 1 << 34
    card = sound_card(features=1 << 32 | packed)
    with Front(card.path) as qemu:
        qemu.greet().start(1 << 32 | packed)
        qemu.put(BASE + BUFFERS, set_params())
        qemu.rings[0].submit((BASE + BUFFERS, 24, 0), (BASE + BUFFERS + 0x1000, 4, 1))
        card.call(int)
        card.call(int)
        assert card.said == [
            "the driver accepted features 0x400000000, which are only offered: the device is dead"
        ]
        qemu.stop()
        qemu.start()
        assert qemu.control(set_params()) == OK


def test_a_write_to_the_configuration(sound_card):
    card = sound_card(breaches={"M-02"})
    with Front(card.path) as qemu:
        qemu.greet().do(front.SET_CONFIG, u32(0, 4, 0) + bytes(4))
        breaches(card, "M-02")
        assert card.device.config() == u32(0, 1, 0)
