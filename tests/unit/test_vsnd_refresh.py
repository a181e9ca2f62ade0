# SPDX-License-Identifier: MIT
"""modules/vsnd: changes of the configuration, and requests that need memory of their own."""

import errno
import struct

import pytest

from duplex import JACKS, equipped, kept
from sim import CONTROLQ, NEVER, OK, ChmapInfo, Control, StreamInfo
from vsnd_helpers import pattern, refusal, stream


@pytest.fixture(params=["event_idx", "flags-indirect"])
def rig(request, rig_of):
    return equipped(rig_of, request.param)


# The configuration changes


def test_refresh(rig):
    card = rig.vsnd.open()
    out = card.output()
    out.write(pattern(out, 3))
    rig.device.change(
        streams=[*rig.sound.infos, StreamInfo(channels_max=8)], jacks=(),
        chmaps=(ChmapInfo(),), controls=(Control(name="Other"),),
    )
    assert kept(card) == [("CONFIG_CHANGED", None, 0)]
    assert len(card.streams) == 2
    card.refresh()
    assert [s.channels_max for s in card.streams] == [2, 2, 8]
    assert (len(card.jacks), len(card.chmaps), card.controls[0].name) == (0, 1, "Other")
    assert card.output(channels=8).stream.id == 2
    out.write(pattern(out, 3))
    out.close()
    assert stream(rig).played == pattern(out, 3) * 2


def test_a_stream_that_vanishes(rig):
    card = rig.vsnd.open()
    free = rig.dma.available()
    out = card.output(features=0)
    out.write(pattern(out, 6))
    rig.clock.run(100)
    rig.device.change(streams=[])
    with pytest.raises(OSError) as caught:
        out.close()
    assert caught.value.errno in (errno.EINVAL, errno.EIO)
    assert out.state == "CLOSED"
    card.refresh()
    assert card.streams == ()
    refusal(errno.ENODEV, card.output)
    assert rig.dma.available() == free


@pytest.mark.parametrize("nth", range(3))
def test_events_while_the_records_are_read(rig, nth):
    # The device answers with what was true before, and then something is pulled out.
    def answer(request, room):
        rig.clock.at(rig.clock.now, lambda: rig.device.plug(0, False))
        return struct.pack("<I", OK) + b"".join(jack.record() for jack in JACKS)

    name = ("JACK_INFO", "CTL_INFO", "PCM_INFO")[nth]
    if name == "JACK_INFO":
        rig.sound.script[name].append(answer)
    else:
        rig.sound.script[name].append(lambda request, room: rig.clock.at(
            rig.clock.now, lambda: rig.device.plug(0, False)
        ) and None)
    if nth == 0:
        card = rig.vsnd.open()
        assert not card.jacks[0].connected
        assert kept(card) == [("JACK_DISCONNECTED", 0, 0)]
    else:
        refusal(errno.ETIMEDOUT, rig.vsnd.open)


def test_refresh_by_the_handler_while_the_program_refreshes(rig):
    card = rig.vsnd.open()
    card.events.irq(lambda event: card.refresh())
    rig.device.kick_us = 500
    rig.clock.at(rig.clock.now + 700, lambda: rig.device.change(jacks=JACKS * 2))
    card.refresh()
    rig.board._sleep(10_000)
    assert len(card.jacks) == 4
    rig.device.plug(3, False)
    rig.board._sleep(1000)
    assert not card.jacks[3].connected


# Large requests


def test_large_requests_have_memory_of_their_own_for_a_while(rig):
    card = rig.vsnd.open()
    free = rig.dma.available()
    for n in (64, 65, 512, 5000, 65_000):
        answers = []
        rig.sound.control = lambda request, room: (
            answers.append((request, room)) or struct.pack("<I", OK) + request[:room - 4]
        )
        message = struct.pack("<I", 0x100) + bytes(range(256)) * (n // 256 + 1)
        assert card.request(message[:n], 300, 0) == message[: min(n, 300)]
        assert answers == [(message[:n], 304)]
        assert rig.dma.available() == free


def test_a_large_request_that_is_never_answered(rig):
    free = rig.dma.available()
    card = rig.vsnd.open()
    used = rig.dma.available()
    rig.sound.script["PCM_INFO"].append(NEVER)
    message = rig.vsnd.protocol.pcm_info(0, 2)
    refusal(errno.ETIMEDOUT, card.request, message, 5000, 0)
    assert rig.dma.available() < used
    assert len(card.request(message, 64)) == 64  # others still can be made
    (chain,) = rig.device.rings[CONTROLQ].owned.values()
    rig.device.give_back(CONTROLQ, chain, chain.write(struct.pack("<I", OK)))
    assert len(card.request(message, 64)) == 64
    card.close()
    assert rig.dma.available() == free


@pytest.mark.parametrize("room", [16, 4096, 8192, 8496])
def test_a_large_request_without_enough_memory(rig, room):
    card = rig.vsnd.open()
    hole = rig.dma.alloc(room)
    n = 1 << 20
    while n >= 16:
        try:
            rig.dma.alloc(n)
        except OSError:
            n >>= 1
    rig.dma.free(hole)
    free = rig.dma.available()
    assert free == room
    refusal(errno.ENOMEM, card.request, rig.vsnd.protocol.pcm_info(0, 1) + bytes(4000), 4500, 0)
    assert rig.dma.available() == free
    assert len(card.request(rig.vsnd.protocol.pcm_info(0, 2), 64)) == 64
