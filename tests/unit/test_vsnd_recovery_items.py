# SPDX-License-Identifier: MIT
"""Jacks, control elements and events of a card that is reset: as its device asks, or reset()."""

import pytest

from broken import Broken
from duplex import equipped, idle, kept
from sim import EVENTQ
from vsnd_helpers import pattern

BUFFERS = 8


@pytest.fixture(params=["event_idx", "flags-indirect"])
def card(request, rig_of):
    rig = equipped(rig_of, request.param)
    card = rig.vsnd.open()
    card.rig = rig
    card.broken = Broken(rig)
    return card


def asked(card):
    card.broken.ask()
    card.rig.board._dispatch()
    assert card.resets == 1


def reset(card):
    card.reset()


@pytest.fixture(params=[asked, reset])
def renewed(request):
    """Resets a card."""
    return request.param


def told(card):
    """Let the handler of `card.events` see what follows: a list of names, items and masks."""
    seen = []
    card.events.irq(lambda event: seen.append((event.name, event.item, event.mask)))
    return seen


def works(card, seen):
    """Each event comes once and says what has changed, and so often that no buffer is lost."""
    device = card.rig.device
    del seen[:]
    expected = []
    for _ in range(2 * BUFFERS):
        for jack in card.jacks:
            plugged = not jack.connected
            assert device.plug(jack.id, plugged)
            expected.append(("JACK_CONNECTED" if plugged else "JACK_DISCONNECTED", jack, 0))
        assert device.control_changed(1, 1)
        expected.append(("CTL_NOTIFY", card.controls[1], 1))
        idle(card.rig, 12)
    assert seen == expected
    device.serve(EVENTQ)
    assert len(device.rings[EVENTQ].owned) == BUFFERS and not device.lost_events
    volume, mute = card.controls
    volume.write((3, 4))
    mute.write(True)
    assert (volume.read(), mute.read()) == ((3, 4), (1,))
    assert [each.value for each in card.rig.sound.controls] == [(3, 4), (1,)]
    assert card.rig.guards() and not card.device.error


@pytest.mark.parametrize("before", [0, 1, 2, 11])
def test_events_go_on(card, renewed, before):
    seen = told(card)
    for number in range(before):
        card.rig.device.plug(0, number % 2)
        idle(card.rig, 12)
    assert len(seen) == before
    card.rig.device.plug(0), idle(card.rig, 12)
    renewed(card)
    works(card, seen)


def test_an_event_of_before_is_none_of_after(card, renewed):
    # The device has told it, and is reset before the driver has looked.
    assert kept(card) == []
    card.rig.device.lose = lambda index: index == EVENTQ
    assert card.rig.device.plug(1) and card.rig.device.control_changed(0)
    card.rig.device.lose = lambda index: False
    renewed(card)
    names = [name for name, *_ in kept(card)]
    assert names == (["DEVICE_NEEDS_RESET"] if renewed is asked else [])
    works(card, told(card))


def test_what_was_kept_is_handed_out(card, renewed):
    card.rig.device.plug(1)
    card.rig.device.control_changed(0)
    idle(card.rig, 1)
    renewed(card)
    seen = told(card)
    idle(card.rig, 1)
    names = [name for name, *_ in seen]
    assert names[:2] == ["JACK_CONNECTED", "CTL_NOTIFY"]
    assert names[2:] == (["DEVICE_NEEDS_RESET"] if renewed is asked else [])
    works(card, seen)


@pytest.mark.parametrize("ms", [0, 30])
def test_a_flood_of_events(card, renewed, ms):
    # The driver keeps buffers back for a while. They are the device's again after a reset.
    seen = told(card)
    for _ in range(60):
        card.rig.device.control_changed(0)
        card.rig.board._dispatch()
    assert len(seen) < 60, "no buffer was kept back"
    renewed(card)
    idle(card.rig, ms)
    card.rig.device.serve(EVENTQ)
    assert len(card.rig.device.rings[EVENTQ].owned) == BUFFERS
    card.rig.device.events.lost = 0
    idle(card.rig, 30)
    works(card, seen)


def test_an_event_while_it_is_recovered(card):
    seen = told(card)
    out = card.output()
    out.write(pattern(out, 4))
    out.start()

    def plugged(request, room):
        assert card.rig.device.plug(1)
        return NotImplemented  # what it does otherwise

    card.rig.sound.script["START"].append(plugged)
    asked(card)
    assert not card.rig.sound.script["START"]
    idle(card.rig, 12)
    assert ("JACK_CONNECTED", card.jacks[1], 0) in seen
    assert card.jacks[1].connected
    out.drain()
    works(card, seen)


CALLS = {
    "CTL_READ": lambda card: card.controls[0].read(),
    "CTL_WRITE": lambda card: card.controls[0].write((5, 6)),
    "CTL_INFO": lambda card: card.refresh(),
    "JACK_INFO": lambda card: card.jacks[0].refresh(),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("where", ["program", "handler"])
def test_in_the_middle_of_a_request(card, name, where):
    found = []

    def handler(event):
        if event.name == "JACK_CONNECTED":
            found.append(CALLS[name](card))

    card.broken.ask_at(name)
    before = card.controls[0].read() if name != "CTL_READ" else card.rig.sound.controls[0].value
    if where == "program":
        found.append(CALLS[name](card))
    else:
        card.events.irq(handler)
        card.rig.device.plug(1)
        idle(card.rig, 50)
    assert card.resets == 1
    assert found == [before if name == "CTL_READ" else None]
    if name == "CTL_WRITE":
        assert card.controls[0].read() == (5, 6)
    works(card, told(card))
