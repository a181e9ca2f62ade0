# SPDX-License-Identifier: MIT
"""host/virtsnd: streams that record."""

import struct

import pytest

from raw_driver import PERIOD, PERIOD_US, RELEASE, STOP, prepared, samples
from virtsnd import IO_ERR, OK, RXQ, StreamInfo, breaches


@pytest.fixture
def driver_of():
    """Make a Driver whose stream 0 is prepared: driver_of(StreamInfo(), ...)."""
    yield prepared
    assert not breaches


def recorder(driver_of, buffers=3, **options):
    driver = driver_of(StreamInfo(direction=1, **options))
    driver.buffers = [driver.record(0, PERIOD) for _ in range(buffers)]
    driver.start()
    return driver


def buffer(driver, k, n=PERIOD):
    return driver.memory.read(driver.buffers[k][1], n)


def test_recording(driver_of):
    feed = samples(2 * PERIOD + 100)
    driver = recorder(driver_of, feed=feed, latency_bytes=64)
    driver.wait(PERIOD_US - 1)
    assert driver.queues[RXQ].returned() == []
    driver.wait(3 * PERIOD_US + 1)
    assert driver.queues[RXQ].returned() == [(head, 488) for head, _, _ in driver.buffers]
    got = b"".join(buffer(driver, k) for k in range(3))
    assert got == feed + bytes(PERIOD - 100) == driver.stream().recorded
    assert [driver.status_at(at) for _, _, at in driver.buffers] == [(OK, 64)] * 3
    assert driver.stream().xruns == 0


def test_any_framing_will_do(driver_of):
    feed = samples(PERIOD)
    driver = driver_of(StreamInfo(direction=1, feed=feed, latency_bytes=9))
    rest = driver.alloc(PERIOD + 8)
    parts = [(driver.bytes(bytes(2)), 2, False)] * 2
    for at, n in ((0, 100), (100, 300), (400, 85), (485, 3)):
        parts.append((rest + at, n, True))
    driver.send(RXQ, *parts)
    driver.start()
    driver.wait(PERIOD_US + 1)
    assert driver.memory.read(rest, PERIOD) == feed
    assert driver.status_at(rest + PERIOD) == (OK, 9)


def test_recording_from_a_function(driver_of):
    count = iter(range(1000))
    asked = []
    feed = lambda n: asked.append(n) or bytes(next(count) & 0xFF for _ in range(n))  # noqa: E731
    driver = recorder(driver_of, feed=feed)
    driver.wait(2 * PERIOD_US + 1)
    assert asked == [PERIOD] * 2
    assert driver.stream().recorded == bytes(i & 0xFF for i in range(2 * PERIOD))


def test_silence_at_the_end_is_of_the_format(driver_of):
    driver = driver_of(
        StreamInfo(direction=1, formats=1 << 6, channels_min=1, feed=b"\1\2\3"),
        format=6, channels=1, period=8, buffer=8,
    )
    driver.buffers = [driver.record(0, 8)]
    driver.start()
    driver.wait(200)
    assert buffer(driver, 0, 8) == bytes.fromhex("010203 80 0080 0080")


def test_an_overrun(driver_of):
    feed = samples(5 * PERIOD)
    driver = recorder(driver_of, 1, feed=feed)
    driver.wait(3 * PERIOD_US + 100)
    assert driver.stream().xruns == 2
    driver.buffers.append(driver.record(0, PERIOD))
    driver.wait(4 * PERIOD_US + 1)
    assert buffer(driver, 1) == feed[3 * PERIOD : 4 * PERIOD]
    assert driver.stream().recorded == feed[:PERIOD] + feed[3 * PERIOD : 4 * PERIOD]
    assert driver.stream().missed == feed[PERIOD : 3 * PERIOD]


PART = 70 * 4  # bytes: 70 frames are 1458 µs


def half(driver_of, buffers=3, **options):
    """A recorder that was stopped 70 frames into the second period."""
    feed = samples(5 * PERIOD)
    driver = recorder(driver_of, buffers, feed=feed, **options)
    driver.wait(PERIOD_US + 1459)
    driver.ask((STOP, 0))
    return driver, feed


def test_a_partial_buffer_at_stop(driver_of):
    driver, feed = half(driver_of)
    heads = [head for head, _, _ in driver.buffers]
    assert driver.queues[RXQ].returned() == [(heads[0], 488), (heads[1], PART + 8)]
    assert buffer(driver, 1) == feed[PERIOD : PERIOD + PART] + b"\xee" * (PERIOD - PART)
    assert driver.status_at(driver.buffers[1][2]) == (OK, 0)
    driver.ask((RELEASE, 0))
    assert driver.queues[RXQ].returned() == [(heads[2], 8)]
    assert buffer(driver, 2) == b"\xee" * PERIOD
    assert driver.stream().recorded == feed[: PERIOD + PART]


def test_a_partial_buffer_at_release(driver_of):
    driver, feed = half(driver_of, partial_at="RELEASE")
    heads = [head for head, _, _ in driver.buffers]
    assert driver.queues[RXQ].returned() == [(heads[0], 488)]
    driver.ask((RELEASE, 0))
    assert driver.queues[RXQ].returned() == [(heads[1], PART + 8), (heads[2], 8)]
    assert driver.stream().recorded == feed[: PERIOD + PART]


def test_a_recording_that_goes_on(driver_of):
    driver, feed = half(driver_of, partial_at="RELEASE")
    driver.start()
    driver.wait(PERIOD_US - 1459 - 50)
    assert len(driver.stream().recorded) == PERIOD
    driver.wait(PERIOD_US - 1459 + 50)
    assert buffer(driver, 1) == feed[PERIOD : 2 * PERIOD]
    driver.wait(2 * PERIOD_US)
    assert driver.stream().recorded == feed[: 3 * PERIOD]
    assert not driver.stream().missed


def test_a_recording_that_goes_on_in_the_next_buffer(driver_of):
    driver, feed = half(driver_of)
    driver.start()
    driver.wait(PERIOD_US + 1)
    assert buffer(driver, 2) == feed[PERIOD + PART : 2 * PERIOD + PART]
    assert driver.stream().recorded == feed[: 2 * PERIOD + PART]


def test_the_status_right_behind_the_data(driver_of):
    driver, feed = half(driver_of, status_at="data", latency_bytes=5)
    _, into, at = driver.buffers[1]
    behind = struct.pack("<II", OK, 0)
    assert driver.memory.read(into, PERIOD) == (
        feed[PERIOD : PERIOD + PART] + behind + b"\xee" * (PERIOD - PART - 8)
    )
    assert driver.memory.read(at, 8) == b"\xee" * 8
    assert driver.status_at(driver.buffers[0][2]) == (OK, 5)


def test_stopped_with_no_buffer(driver_of):
    driver, feed = half(driver_of, 1)
    driver.ask((RELEASE, 0))
    assert driver.stream().recorded == feed[:PERIOD]
    assert driver.stream().missed == feed[PERIOD : PERIOD + PART]


def test_a_recording_that_fails(driver_of):
    driver = driver_of(StreamInfo(direction=1, feed=samples(PERIOD)))
    driver.device.sound.status = lambda stream, number: (IO_ERR, 7)
    head, into, at = driver.record(0, PERIOD)
    driver.start()
    driver.wait(PERIOD_US + 1)
    assert driver.queues[RXQ].returned() == [(head, 8)]
    assert driver.status_at(at) == (IO_ERR, 7)
    assert driver.memory.read(into, PERIOD) == b"\xee" * PERIOD
    assert driver.stream().missed == samples(PERIOD)
