# SPDX-License-Identifier: MIT
"""modules/vsnd on a device that refuses, does not answer, or is wrong."""

import errno
import struct

import pytest

import sim
from sim import BAD_MSG, CONTROLQ, IO_ERR, NEVER, NOT_SUPP, OK, TXQ, StreamInfo
from vsnd_helpers import LIFE, hexed, pattern, play, refusal, stream


# A device that refuses


@pytest.mark.parametrize(
    ("status", "error", "text"),
    [
        (BAD_MSG, errno.EINVAL, "BAD_MSG"),
        (NOT_SUPP, errno.EOPNOTSUPP, "NOT_SUPP"),
        (IO_ERR, errno.EIO, "IO_ERR"),
        (0x8004, errno.EIO, "unknown status 0x8004"),
        (0, errno.EIO, "unknown status 0x0"),
    ],
)
@pytest.mark.parametrize("name", ["SET_PARAMS", "PREPARE"])
def test_a_refused_output_leaves_nothing_behind(rig, name, status, error, text):
    card = rig.vsnd.open()
    free = rig.dma.available()
    rig.sound.script[name].append(status)
    assert text in refusal(error, card.output)
    assert rig.dma.available() == free
    data, out = play(rig, card, (480 * 6,))
    out.close()
    assert bytes(stream(rig).played) == data


def test_a_refused_start(rig):
    rig.sound.script["START"].append(IO_ERR)
    out = rig.vsnd.open().output()
    assert "PCM_START" in refusal(errno.EIO, out.write, pattern(out, 5))
    assert out.state == "PREPARED"
    out.drop()
    assert bytes(stream(rig).dropped) == pattern(out, 4)
    out.close()


@pytest.mark.parametrize(
    "answer",
    [b"", hexed("0080"), hexed("008000"), hexed("00800000"), hexed("00800000") + bytes(31)],
)
def test_answers_to_pcm_info_that_are_too_short(rig, answer):
    rig.sound.script["PCM_INFO"].append(lambda request, room: answer)
    assert "bytes answered" in refusal(errno.EIO, rig.vsnd.open)


@pytest.mark.parametrize("status", [BAD_MSG, IO_ERR])
@pytest.mark.parametrize("number", [0, 2, 5])
def test_refused_samples(rig, status, number):
    card = rig.vsnd.open()
    free = rig.dma.available()
    out = card.output()
    rig.sound.status = lambda stream, n: (status if n == number else OK, 0)
    assert "status 0x%x" % status in refusal(errno.EIO, out.write, pattern(out, 20))
    assert out.state == "RUNNING"
    with pytest.raises(OSError):
        out.close()
    assert out.state == "CLOSED"
    assert rig.sound.names()[-2:] == ["STOP", "RELEASE"]
    assert rig.dma.available() == free
    refusal(errno.EPERM, out.write, pattern(out, 1))
    data, out = play(rig, card, (480 * 6,))
    out.close()


def test_refused_samples_at_the_end(rig):
    card = rig.vsnd.open()
    out = card.output()
    rig.sound.status = lambda stream, n: (IO_ERR if n == 3 else OK, 0)
    out.write(pattern(out, 4))
    refusal(errno.EIO, out.drain)
    with pytest.raises(OSError):
        out.close()
    assert rig.sound.names()[-2:] == ["STOP", "RELEASE"]
    card.output().close()


def test_with_closes_whatever_happens(rig):
    card = rig.vsnd.open()
    rig.sound.status = lambda stream, n: (IO_ERR, 0)
    with pytest.raises(OSError):
        with card.output() as out:
            out.write(pattern(out, 20))
    assert out.state == "CLOSED"
    card.output().close()


def test_an_error_is_over_after_drop(rig):
    out = rig.vsnd.open().output()
    rig.sound.status = lambda stream, n: (IO_ERR if n == 2 else OK, 0)
    refusal(errno.EIO, out.write, pattern(out, 20))
    out.drop()
    del stream(rig).played[:]
    out.write(pattern(out, 6))
    out.drain()
    assert bytes(stream(rig).played) == pattern(out, 6)


# A device that does not answer


@pytest.mark.parametrize("name", ["PCM_INFO", *LIFE[:2]])
def test_no_answer(rig, name):
    free = rig.dma.available()
    rig.sound.script[name].append(NEVER)
    with pytest.raises(OSError, match="no answer in 1000 ms") as caught:
        rig.vsnd.open().output()
    assert caught.value.errno == errno.ETIMEDOUT
    assert 1_000_000 <= rig.clock.now < 1_100_000
    if name != "PCM_INFO":
        assert "never answered" in refusal(errno.EBUSY, rig.vsnd.open().output)
        rig.vsnd.open().close()
    assert rig.dma.available() == free
    rig.vsnd.open().output().close()


def test_an_answer_that_came_late(rig):
    card = rig.vsnd.open()
    rig.sound.script["SET_PARAMS"].append(NEVER)
    refusal(errno.ETIMEDOUT, card.output)
    ring = rig.device.rings[CONTROLQ]
    (chain,) = ring.owned.values()
    rig.device.give_back(CONTROLQ, chain, chain.write(struct.pack("<I", OK)))
    card.output().close()


def test_samples_that_are_never_taken(rig):
    rig.sound.paced = False
    out = rig.vsnd.open().output()
    assert "takes no samples" in refusal(errno.ETIMEDOUT, out.write, pattern(out, 6))
    assert 1_000_000 < rig.clock.now < 3_000_000
    rig.sound.paced = True
    out.drop()
    out.write(pattern(out, 6))
    out.close()


def test_samples_that_are_taken_and_never_returned(rig):
    rig.sound.pick = lambda pending: None
    out = rig.vsnd.open().output()
    refusal(errno.ETIMEDOUT, out.write, pattern(out, 6))
    with pytest.raises(OSError):
        out.drain()
    out.drop()
    assert len(stream(rig).dropped) == 4 * out.period_bytes
    out.close()


def test_release_that_returns_no_buffers(rig):
    free = rig.dma.available()
    card = rig.vsnd.open()
    out = card.output()
    rig.sound.flush = lambda pending: []
    out.write(pattern(out, 8))
    assert "no buffers back" in refusal(errno.ETIMEDOUT, out.drop)
    assert rig.clock.now < 3_000_000
    out.close()
    # What the device has it keeps, until its reset; there is other memory.
    lost = free - rig.dma.available()
    rig.sound.flush = list
    card.output().close()
    assert free - rig.dma.available() == lost > 4 * 1920
    card.close()
    assert rig.dma.available() == free
    assert rig.guards()


def test_release_that_returns_buffers_late(rig):
    out = rig.vsnd.open().output()
    late = []
    rig.sound.flush = lambda pending: late.extend(pending) or []
    out.write(pattern(out, 8))

    def due():
        stream(rig).pending.clear()
        for chain, data in late:
            stream(rig).give_back(chain, data, OK, 0)

    rig.clock.at(rig.clock.now + 300_000, due)
    out.drop()
    assert rig.clock.now >= 300_000
    rig.sound.flush = list
    out.write(pattern(out, 8))
    out.close()


# A device that is wrong


def wrong_used(rig, entries, number=5):
    """The used entry of a tx chain becomes `entries(head, length)`."""
    count = iter(range(1000))

    def used(index, head, length):
        if index == TXQ and next(count) == number:
            return entries(head, length)
        return [(head, length)]

    rig.device.used = used


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param(lambda head, n: [(head + 1, n)], id="wrong"),
        pytest.param(lambda head, n: [(head, n), (head, n)], id="repeated"),
        pytest.param(lambda head, n: [(64, n)], id="out of range"),
        pytest.param(lambda head, n: [(0xFFFFFFFF, n)], id="far out of range"),
        pytest.param(lambda head, n: [(head, 9)], id="too long"),
        pytest.param(lambda head, n: [(head, 0)], id="nothing written"),
        pytest.param(lambda head, n: [(head, n)] * 200, id="used.idx jumps"),
    ],
)
def test_wrong_used_entries(rig, entries):
    free = rig.dma.available()
    card = rig.vsnd.open()
    out = card.output()
    wrong_used(rig, entries)
    refusal(errno.EIO, out.write, pattern(out, 30))
    with pytest.raises(OSError):
        out.close()
    assert out.state == "CLOSED"
    rig.device.used = lambda index, head, length: [(head, length)]
    card = rig.vsnd.open()
    data, out = play(rig, card, (480 * 6,))
    out.close()
    assert bytes(stream(rig).played)[-len(data) :] == data
    card.close()
    assert rig.dma.available() == free
    assert rig.guards()


@pytest.mark.parametrize("length", [5, 0x1000, 0xFFFFFFFF])
def test_answers_that_are_too_long(rig, length):
    card = rig.vsnd.open()
    rig.device.used = lambda index, head, n: [(head, length)]
    assert "wrote %d bytes to a chain that takes 4" % length in refusal(errno.EIO, card.output)
    rig.device.used = lambda index, head, n: [(head, n)]
    assert rig.vsnd.open() is not card
    rig.vsnd.open().output().close()


def test_open_again_with_a_stream_still_open(rig):
    free = rig.dma.available()
    card = rig.vsnd.open()
    out = card.output()
    out.write(pattern(out, 6))
    card.device.fail("broken")
    again = rig.vsnd.open()
    again.close()
    assert rig.dma.available() == free


def test_a_closed_stream_of_a_broken_device_takes_nothing(rig):
    card = rig.vsnd.open()
    out = card.output()
    out.write(pattern(out, 6))
    card.device.fail("broken")
    with pytest.raises(OSError):
        out.close()
    rig.vsnd.open()
    before = bytes(rig.board.arena)
    refusal(errno.EPERM, out.write, b"\xee" * out.period_bytes)
    assert bytes(rig.board.arena) == before


def test_close_a_card_twice(rig):
    free = rig.dma.available()
    card = rig.vsnd.open()
    card.close()
    card.close()
    assert rig.dma.available() == free


def test_interrupts_for_nothing(rig):
    out = rig.vsnd.open().output()

    def again():
        rig.transport.interrupt(1)
        rig.clock.at(rig.clock.now + 777, again)

    again()
    data = pattern(out, 30)
    out.write(data)
    out.close()
    assert bytes(stream(rig).played) == data


@pytest.mark.parametrize("call", ["request", "event"])
def test_interrupts_that_never_end_are_no_reason_to_wait_on(rig, monkeypatch, call):
    card = rig.vsnd.open()
    events, begin = card.events, rig.clock.now

    def wait(ms):  # something interrupts all the time
        rig.clock.run(1000)
        assert rig.clock.now < begin + 3_000_000, "it waits for ever"
        return True

    rig.sound.script["PCM_INFO"] = [NEVER]
    monkeypatch.setattr(rig.virtio.device.virt, "wait", wait)
    if call == "request":
        assert "PCM_INFO: no answer in 1000 ms" in refusal(errno.ETIMEDOUT, card.refresh)
    else:
        assert events.wait(100) is None


# What the simulated device itself notices


@pytest.mark.parametrize(
    ("rule", "sent", "room"),
    [
        ("S-04", (0x100, 0, 2, 32), 68),
        ("S-04", (0x100, 0xFFFFFFFF, 2, 32), 68),
        ("S-05", (0x100, 0, 1, 32), 35),
        ("S-30", (0x104, 0), 4),
        ("S-30", (0x103, 0), 4),
        ("S-31", (0x102, 1), 4),
        ("S-06", (0x101, 0, 1000, 300, 0, 0x00070502), 4),
        ("S-06", (0x101, 0, 0, 0, 0, 0x00070502), 4),
        ("S-07", (0x101, 0, 800, 400, 0, 0x00101902), 4),
        ("S-08", (0x101, 0, 800, 400, 16, 0x00070502), 4),
        ("S-08", (0x101, 0, 800, 400, 0, 0x00070602), 4),
        ("S-08", (0x101, 0, 800, 400, 0, 0x00080502), 4),
        ("S-09", (0x101, 0, 800, 400, 0, 0x00070503), 4),
        ("S-11", (0x101, 0, 800, 400, 0, 0x01070502), 4),
    ],
)
def test_the_device_is_strict(rig_of, rule, sent, room):
    rig = rig_of()
    rig.breach(rule, rig.sound.control, struct.pack(f"<{len(sent)}I", *sent), room)


def test_the_device_is_strict_about_shared_memory(rig_of):
    rig = rig_of(streams=[StreamInfo(features=3)])
    for rule, features in (("S-10", 3), ("S-13", 1)):
        message = struct.pack("<6I", 0x101, 0, 800, 400, features, 0x00070502)
        rig.breach(rule, rig.sound.control, message, 4)


def test_the_device_is_strict_about_samples(rig):
    card = rig.vsnd.open()
    out = card.output(period=48)
    ring = rig.device.rings[TXQ]
    region = rig.dma.alloc(1024)
    region.store(bytes(4))

    def sent(*parts):
        chain = sim.ring.Chain(rig.board.memory, 0)
        for n, writable in parts:
            (chain.writable if writable else chain.readable).append((region.pa, n))
        return chain

    rig.breach("S-36", rig.sound.transmit, sent((4, False), (8, True)))
    rig.breach("S-36", rig.sound.transmit, sent((4, False), (192, False), (4, True)))
    rig.breach("S-15", rig.sound.transmit, sent((4, False), (192, True), (8, True)))
    rig.breach("S-14", rig.sound.transmit, sent((4, False), (193, False), (8, True)))
    rig.sound.transmit(sent((4, False), (100, False), (8, True)))
    rig.breach("S-14", rig.sound.transmit, sent((4, False), (192, False), (8, True)))
    rig.sound.streams[0].pending.clear()
    out.release()
    rig.breach("S-37", rig.sound.transmit, sent((4, False), (192, False), (8, True)))
    region.store(b"\1")
    rig.breach("S-31", rig.sound.transmit, sent((4, False), (192, False), (8, True)))
    assert not ring.owned
