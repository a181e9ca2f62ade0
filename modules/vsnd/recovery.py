# SPDX-License-Identifier: MIT
"""A card whose device asks for a reset (DEVICE_NEEDS_RESET, 2.1.2): see docs/recovery.md.

It is reset and brought up again as it was, and every stream goes on where it was: SET_PARAMS,
PREPARE, the periods that the device had not returned, START. Imported when it is needed.

This may run inside the interrupt's handler: no interrupt comes, and no other Python runs.
"""

import errno
from micropython import const
import struct
from time import ticks_diff, ticks_ms
import virt
from virtio import mmio
from virtio.renewal import again, collect, renew, take_back
from virtio.undisturbed import Undisturbed
from . import protocol
from .card import REQUEST_BYTES
from .events import Event
from .pcm import ACTIVE, HALTED
from .protocol import CONTROLQ, EVENTQ, RXQ, TXQ

_TIMES = const(3)  # so often
_WITHIN_MS = const(10_000)  # in this time, and not once more
_ANSWER_MS = const(1000)

_recent = {}  # by base: when that was, in ms

# What a stream has to be brought to before the command that is under way is sent again.
_SETUP, _PREPARED, _RUNNING = range(3)
_BEFORE = {"prepare": _SETUP, "start": _PREPARED, "stop": _RUNNING, "release": _PREPARED}


def asked(card):
    """The device has asked for a reset: do it, or leave it to the request that is under way."""
    card.device.asked = True
    if _idle(card):
        _recover(card)


def _idle(card):
    return not card._under_way and not any(user._doing for user in card._users)


def mend(card):
    """Recover the card if its device has asked for a reset. OSError(EIO) if it is of no use."""
    if card.device.asked and not card._under_way:
        _recover(card)
    card.device.check()


def once_more(card, answer, failure, message, response_bytes):
    """After a request in the middle of which something happened: return the answer to it.

    If the device has asked for a reset, it is recovered, and the request made again, once.
    """
    if not failure:
        # It was answered. A command has an effect now, which its end takes note of: so not yet.
        if _idle(card):
            mend(card)
        return answer
    if not _asks(card.device):
        raise failure
    mend(card)
    card._under_way += 1
    try:
        queue = card.device.queues[CONTROLQ]
        return card._exchange(queue, card._head, message, response_bytes)
    except OSError:
        if not _asks(card.device):
            raise
    finally:
        card._under_way -= 1
    mend(card)
    raise card._failure(message, errno.EIO, "the device asked for a reset, twice")


def _asks(device):
    # Its interrupt may not have come.
    if not device.error and device.transport.status() & mmio.NEEDS_RESET:
        device.needs_reset()
    return device.asked


def forget(card):
    """Let the device drop all buffers of streams that could not be ended. Then it can be reset.

    The specification wants a reset to do that. QEMU's device keeps them, plays them, and writes
    their statuses; only PCM_RELEASE ends it.
    """
    try:
        with virt.lock:
            card.device.error = None
            _renew(card)
            _forget(card)
    except OSError:
        pass  # it does not even do this much


def purge(card):
    """As forget(), for a device that had another life of which nothing is known. It is as new.

    OSError that says why if that fails.
    """
    with virt.lock:
        _forget(card)
        _renew(card)


def _forget(card):
    for stream in card.streams:
        if stream.usable():
            for message in (
                _any_params(stream), protocol.pcm_prepare(stream.id),
                protocol.pcm_release(stream.id),
            ):
                if _ask(card, message) != protocol.OK:
                    break  # a stream that cannot be prepared has no buffers


def _any_params(stream):
    # Those that QEMU's streams have at its start, if there is the choice.
    rates = protocol.named(stream.rates, protocol.RATES)
    rate = 48000 if 48000 in rates else rates[0]
    format = protocol.S16
    while not stream.formats >> format & 1:
        format = (format + 1) % len(protocol.FORMATS)
    channels = min(max(2, stream.channels_min), stream.channels_max)
    period = protocol.FORMATS[format][1] * channels  # bits of a frame: that many whole frames
    return protocol.pcm_set_params(stream.id, 2 * period, period, 0, channels, format, rate)


def _recover(card):
    device = card.device
    why = device.error or "device at %#x needs a reset" % device.transport.base
    device.error = None
    device.asked = False
    try:
        with virt.lock:
            _limit(card)
            _go_on(card)
    except Exception as e:
        device.error = None
        device.fail("%s, and cannot be recovered: %s" % (why, _text(e)))
        return
    card.resets += 1
    if card._events:
        card._events.put(Event("DEVICE_NEEDS_RESET", card, 0))


def _text(e):
    return e.args[1] if isinstance(e, OSError) and len(e.args) > 1 else repr(e)


def _limit(card):
    now = ticks_ms()
    base = card.device.transport.base
    recent = [each for each in _recent.get(base, ()) if ticks_diff(now, each) < _WITHIN_MS]
    _recent[base] = recent
    if len(recent) == _TIMES:
        raise OSError(
            errno.EIO, "it asked more than %d times in %d s" % (_TIMES, _WITHIN_MS // 1000)
        )
    recent.append(now)


def _go_on(card):
    device = card.device
    device.transport.reset()  # from now on it writes nothing
    collect(device, (TXQ, RXQ))
    if any(user._ring.in_flight() for user in card._users):
        _renew(card)
        _forget(card)
    _renew(card)
    for index in (TXQ, RXQ):
        for ring in device.queues[index].cycles:
            if _level(ring.owner) == _SETUP or ring.owner._doing == "release":
                take_back(ring)
    for user in card._users:
        _set_up(card, user)


def _renew(card):
    renew(card.device)
    queue = card.device.queues[EVENTQ]
    if card._events:
        card._events.renew(queue, card._event_buffers)
    queue.post(card._event_buffers, protocol.EVENT_BYTES, card)


def _level(user):
    if user._doing:
        return _BEFORE[user._doing]
    return _RUNNING if user._state in ACTIVE else _PREPARED if user._state in HALTED else _SETUP


def _set_up(card, user):
    id = user.stream.id
    _must(
        card,
        protocol.pcm_set_params(
            id, user.period_bytes * user.periods, user.period_bytes, user.features,
            user.channels, user.format, user.rate,
        ),
    )
    level = _level(user)
    ring = user._ring
    if level > _SETUP:
        _must(card, protocol.pcm_prepare(id))
        again(ring)
    if level == _RUNNING or user._doing == "start":
        if ring.inward and not ring.in_flight():
            ring.make_room()  # 5.14.6.8.2.2: no START without a buffer
    if level == _RUNNING:
        _must(card, protocol.pcm_start(id))
        user._xruns += 1


def _ask(card, message):
    """As card.request(), but no interrupt is needed. Return the status."""
    queue = card.device.queues[CONTROLQ]
    chains = Undisturbed(queue)
    head = card._head
    queue.resize(head, len(message), 4)
    card._messages.store(message)
    queue.submit(head)
    start = ticks_ms()
    while head in queue.busy:
        card.device.check()
        if card.device.transport.status() & mmio.NEEDS_RESET:
            raise card._failure(message, errno.EIO, "the device asks for a reset again")
        if ticks_diff(ticks_ms(), start) > _ANSWER_MS:
            raise card._failure(message, errno.ETIMEDOUT, "no answer in %d ms" % _ANSWER_MS)
        chains.sleep(1)
        queue.reap()
    return struct.unpack("<I", card._messages.load(4, REQUEST_BYTES))[0]


def _must(card, message):
    status = _ask(card, message)
    if status != protocol.OK:
        raise card._failure(message, *protocol.refusal(status))
