# SPDX-License-Identifier: MIT
"""host/virtsnd: several streams, their life cycle, and the driver's rules."""

import pytest

from raw_driver import (
    PERIOD, PERIOD_US, PREPARE, READABLE, RELEASE, START, WRITABLE, Driver, params, prepared,
    samples,
)
from virtsnd import BAD_MSG, IO_ERR, NOT_SUPP, RXQ, TXQ, StreamInfo, breaches


@pytest.fixture
def driver_of():
    """Make a Driver whose stream 0 is prepared: driver_of(StreamInfo(), ...)."""
    yield prepared
    assert not breaches


# Several streams


def test_all_at_once(driver_of):
    inputs = [StreamInfo(direction=1, feed=samples(2 * PERIOD, k)) for k in (50, 60)]
    driver = driver_of(StreamInfo(), StreamInfo(), *inputs)
    for id in (1, 2, 3):
        driver.ask(params(id))
        driver.ask((PREPARE, id))
    for k in range(2):
        for id in (1, 0):
            driver.play(id, samples(PERIOD, 10 * id + k))
        for id in (3, 2):
            driver.record(id, PERIOD)
    for id in (3, 0, 2, 1):
        driver.ask((START, id))
    driver.clock.run(2 * PERIOD_US + 500)
    for id in (0, 1):
        assert driver.stream(id).played == b"".join(samples(PERIOD, 10 * id + k) for k in (0, 1))
    for id in (2, 3):
        assert driver.stream(id).recorded == samples(2 * PERIOD, 30 + 10 * id)


# The life cycle: what the specification's table allows, and nothing else

COMMANDS = ("SET_PARAMS", "PREPARE", "RELEASE", "START", "STOP")
ALLOWED = {
    (): "SET_PARAMS",
    ("SET_PARAMS",): "SET_PARAMS PREPARE",
    ("SET_PARAMS", "PREPARE"): "SET_PARAMS PREPARE START RELEASE",
    ("SET_PARAMS", "PREPARE", "START"): "STOP",
    ("SET_PARAMS", "PREPARE", "START", "STOP"): "START RELEASE",
    ("SET_PARAMS", "PREPARE", "START", "STOP", "RELEASE"): "SET_PARAMS PREPARE",
    ("SET_PARAMS", "PREPARE", "RELEASE"): "SET_PARAMS PREPARE",
}


@pytest.mark.parametrize("next", COMMANDS)
@pytest.mark.parametrize("path", ALLOWED)
def test_the_life_cycle(driver_of, path, next):
    driver = Driver(streams=(StreamInfo(),)).up()

    def message(name):
        return params() if name == "SET_PARAMS" else (0x101 + COMMANDS.index(name), 0)

    for name in path:
        driver.ask(message(name))
    if next in ALLOWED[path].split():
        driver.ask(message(next))
    else:
        driver.breach("S-30", driver.request, message(next))
        assert driver.stream().last == (path[-1] if path else None)


@pytest.mark.parametrize("status", [BAD_MSG, NOT_SUPP, IO_ERR])
def test_a_refused_command_changes_nothing(driver_of, status):
    driver = driver_of()
    driver.device.sound.script["START"].append(status)
    driver.refused(status, (START, 0))
    assert driver.stream().last == "PREPARE"
    driver.ask((START, 0))


# The driver's rules


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("S-06", dict(buffer=1000, period=300)),
        ("S-06", dict(buffer=0)),
        ("S-06", dict(period=0)),
        ("S-07", dict(format=25)),
        ("S-07", dict(rate=16)),
        ("S-07", dict(features=32)),
        ("S-08", dict(format=6)),
        ("S-08", dict(rate=8)),
        ("S-08", dict(features=4)),
        ("S-09", dict(channels=0)),
        ("S-09", dict(channels=3)),
        ("S-10", dict(features=3)),
        ("S-11", dict(padding=1)),
        ("S-13", dict(features=1)),
        ("S-13", dict(features=2)),
        ("S-31", dict(stream=1)),
        ("5.14.6.6.3", dict(buffer=482, period=482)),
    ],
)
def test_rules_of_set_params(rule, wrong):
    driver = Driver(streams=(StreamInfo(features=3),)).up()
    driver.breach(rule, driver.request, params(**wrong))
    driver.ask(params())


@pytest.mark.parametrize(
    ("message", "room"),
    [
        (params()[:20], 4), (params() + bytes(4), 4), (params(), 8),
        ((PREPARE,), 4), ((PREPARE, 0), 5),
    ],
)
def test_sizes(message, room):
    driver = Driver().up()
    driver.breach("5.14.6", driver.request, message, room)


def io(driver, queue, header, *parts):
    """Send a header and parts of so many bytes."""
    head = driver.bytes(header), len(header), READABLE
    driver.send(queue, head, *((driver.alloc(n), n, writable) for n, writable in parts))


ZERO = bytes(4)


@pytest.mark.parametrize(
    ("rule", "header", "parts"),
    [
        ("S-36", ZERO, ((8, WRITABLE),)),
        ("S-36", ZERO, ((480, READABLE), (4, WRITABLE))),
        ("S-36", ZERO, ((480, READABLE),)),
        ("S-36", b"\0\0", ((8, WRITABLE),)),
        ("S-15", ZERO, ((480, WRITABLE), (8, WRITABLE))),
        ("S-15", ZERO, ((480, READABLE), (480, WRITABLE), (8, WRITABLE))),
        ("S-14", ZERO, ((484, READABLE), (8, WRITABLE))),
        ("S-31", b"\2\0\0\0", ((480, READABLE), (8, WRITABLE))),
        ("S-31", b"\1\0\0\0", ((480, READABLE), (8, WRITABLE))),
    ],
)
def test_rules_of_tx(driver_of, rule, header, parts):
    driver = driver_of(StreamInfo(), StreamInfo(direction=1))
    driver.breach(rule, io, driver, TXQ, header, *parts)
    driver.play(0, samples(PERIOD))
    driver.clock.run(100)
    assert len(driver.stream().pending) == 1


def test_nothing_after_a_short_buffer(driver_of):
    driver = driver_of()
    driver.play(0, samples(100))
    driver.breach("S-14", driver.play, 0, samples(PERIOD))
    driver.ask((RELEASE, 0))
    driver.ask((PREPARE, 0))
    driver.play(0, samples(PERIOD))
    driver.clock.run(100)


@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize("last", [None, "SET_PARAMS", "RELEASE"])
def test_buffers_at_the_wrong_time(direction, last):
    driver = Driver(streams=(StreamInfo(direction=direction),)).up()
    if last:
        driver.ask(params())
    if last == "RELEASE":
        driver.ask((PREPARE, 0))
        driver.ask((RELEASE, 0))
    if direction:
        driver.breach("S-37", driver.record, 0, PERIOD)
    else:
        driver.breach("S-37", driver.play, 0, samples(PERIOD))


@pytest.mark.parametrize(
    ("rule", "header", "parts"),
    [
        ("S-17", ZERO, ((480, READABLE), (8, WRITABLE))),
        ("S-17", ZERO + b"\0", ((480, WRITABLE), (8, WRITABLE))),
        ("S-36", b"\0\0", ((480, WRITABLE), (8, WRITABLE))),
        ("S-36", ZERO, ((8, WRITABLE),)),
        ("S-16", ZERO, ((479, WRITABLE), (8, WRITABLE))),
        ("S-16", ZERO, ((960, WRITABLE), (8, WRITABLE))),
        ("S-31", b"\2\0\0\0", ((480, WRITABLE), (8, WRITABLE))),
        ("S-31", b"\1\0\0\0", ((480, WRITABLE), (8, WRITABLE))),
    ],
)
def test_rules_of_rx(driver_of, rule, header, parts):
    driver = driver_of(StreamInfo(direction=1), StreamInfo())
    driver.breach(rule, io, driver, RXQ, header, *parts)
    driver.record(0, PERIOD)
    driver.clock.run(100)
    assert len(driver.stream().pending) == 1


def test_an_input_started_without_buffers(driver_of):
    driver = driver_of(StreamInfo(direction=1))
    driver.breach("S-16", driver.request, (START, 0))
    driver.record(0, PERIOD)
    driver.start()


def test_samples_that_change_while_the_device_has_them(driver_of):
    driver = driver_of()
    data = driver.bytes(samples(PERIOD))
    header, at = driver.bytes(ZERO), driver.alloc(8)
    driver.send(TXQ, (header, 4, READABLE), (data, PERIOD, READABLE), (at, 8, WRITABLE))
    driver.start()
    driver.memory.write(data + 17, b"\xff")
    driver.breach("I-08", driver.clock.run, PERIOD_US)
    # The next one is played all the same.
    driver.play(0, samples(PERIOD, 3))
    driver.clock.run(PERIOD_US)
    assert driver.stream().played == samples(2 * PERIOD)[:PERIOD] + samples(PERIOD, 3)


def test_streams_come_and_go(driver_of):
    first, second = StreamInfo(), StreamInfo(nid=1)
    driver = driver_of(first, second)
    driver.ask(params(1))
    driver.ask((PREPARE, 1))
    driver.play(0, samples(PERIOD))
    head, at = driver.play(1, samples(PERIOD))
    driver.clock.run(100)
    driver.device.change(streams=(first,))
    assert driver.queues[TXQ].returned() == [(head, 8)]
    assert driver.status_at(at) == (IO_ERR, 0)
    driver.start()
    driver.wait(PERIOD_US + 1)
    assert driver.stream().played == samples(PERIOD)
    # Of a stream that is gone the driver may not know.
    head, at = driver.play(1, samples(PERIOD))
    driver.clock.run(100)
    assert driver.queues[TXQ].returned()[-1] == (head, 8)
    assert driver.status_at(at) == (IO_ERR, 0)
    driver.refused(BAD_MSG, (START, 1))


def test_an_input_that_is_gone(driver_of):
    driver = driver_of(StreamInfo(direction=1), StreamInfo(direction=1))
    driver.device.change(streams=(StreamInfo(direction=1),))
    head, into, at = driver.record(1, PERIOD)
    driver.clock.run(100)
    assert driver.queues[RXQ].returned() == [(head, 8)]
    assert driver.status_at(at) == (IO_ERR, 0)
    assert driver.memory.read(into, PERIOD) == b"\xee" * PERIOD
