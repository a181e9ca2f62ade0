# SPDX-License-Identifier: MIT
"""host/virtsnd: streams that play, and their latency."""

import math

import pytest

from raw_driver import PERIOD, PERIOD_US, RELEASE, STOP, prepared, samples
from virtsnd import OK, TXQ, StreamInfo, breaches


@pytest.fixture
def driver_of():
    """Make a Driver whose stream 0 is prepared: driver_of(StreamInfo(), ...)."""
    yield prepared
    assert not breaches


def test_a_period_takes_its_time(driver_of):
    driver = driver_of()
    data = samples(3 * PERIOD)
    sent = [driver.play(0, data[at : at + PERIOD]) for at in range(0, len(data), PERIOD)]
    driver.start()
    queue = driver.queues[TXQ]
    driver.wait(PERIOD_US - 1)
    assert queue.returned() == []
    for k, (head, at) in enumerate(sent):
        driver.wait((k + 1) * PERIOD_US)
        assert queue.returned() == [(head, 8)]
        assert driver.status_at(at) == (OK, 0)
        assert driver.stream().played == data[: (k + 1) * PERIOD] == driver.stream().heard
    assert driver.stream().xruns == 0


def test_release_returns_what_was_not_played(driver_of):
    driver = driver_of()
    sent = [driver.play(0, samples(PERIOD, k)) for k in range(3)]
    driver.start()
    driver.wait(PERIOD_US + 10)
    driver.ask((STOP, 0))
    driver.wait(10 * PERIOD_US)
    assert driver.queues[TXQ].returned() == [(sent[0][0], 8)]
    driver.ask((RELEASE, 0))
    assert driver.queues[TXQ].returned() == [(head, 8) for head, _ in sent[1:]]
    assert driver.stream().played == samples(PERIOD)
    assert driver.stream().dropped == samples(PERIOD, 1) + samples(PERIOD, 2)


def test_buffers_come_back_before_the_answer_to_release(driver_of):
    driver = driver_of()
    for k in range(3):
        driver.play(0, samples(PERIOD, k))
    order = []
    push = driver.device.used
    driver.device.used = lambda index, head, n: order.append(index) or push(index, head, n)
    driver.ask((RELEASE, 0))
    assert order == [TXQ, TXQ, TXQ, 0]


def test_a_short_last_buffer(driver_of):
    driver = driver_of()
    driver.play(0, samples(PERIOD))
    driver.play(0, samples(100, 9))
    driver.start()
    driver.wait(2 * PERIOD_US)
    assert driver.stream().played == samples(PERIOD) + samples(100, 9)


@pytest.mark.parametrize("speed", [1, 10, 0.5])
def test_speed(driver_of, speed):
    driver = driver_of(StreamInfo(speed=speed))
    driver.play(0, samples(PERIOD))
    driver.start()
    driver.wait(PERIOD_US / speed - 1)
    assert not driver.stream().played
    driver.wait(PERIOD_US / speed + 1)
    assert driver.stream().played == samples(PERIOD)


@pytest.mark.parametrize(
    ("format", "channels", "rate", "period", "us"),
    [
        (0, 1, 1, 100, 25_000),  # IMA_ADPCM: two samples in a byte
        (4, 1, 1, 80, 10_000),
        (11, 2, 6, 6 * 441, 10_000),
        (20, 1, 10, 8 * 960, 10_000),
        (19, 2, 15, 8 * 240, 10_000),
        (5, 1, 14, 2 * 120, 10_000),
    ],
)
def test_formats_and_rates(driver_of, format, channels, rate, period, us):
    everything = StreamInfo(formats=(1 << 25) - 1, rates=0xFFFF)
    how = dict(format=format, channels=channels, rate=rate, period=period, buffer=period)
    driver = driver_of(everything, **how)
    driver.play(0, samples(period))
    driver.start()
    driver.wait(us - 1)
    assert not driver.stream().played
    driver.wait(us + 1)
    assert driver.stream().played == samples(period)


def test_the_sum_of_periods_does_not_drift(driver_of):
    """A period of 44100 Hz is no whole number of microseconds."""
    driver = driver_of(rate=6, period=400, buffer=1600)
    driver.start()
    driver.wait(math.ceil(1000 * 100 / 44100 * 1e6))
    assert driver.stream().xruns == 1000


# Latency


def latent(driver_of, **options):
    driver = driver_of(StreamInfo(latency_bytes=1200, **options))
    sent = [driver.play(0, samples(PERIOD, k)) for k in range(3)]
    driver.start()
    return driver, sent


DATA = b"".join(samples(PERIOD, k) for k in range(3))


def test_what_is_played_is_heard_later(driver_of):
    driver, sent = latent(driver_of)
    driver.wait(3 * PERIOD_US)
    assert [driver.status_at(at) for _, at in sent] == [(OK, 1200)] * 3
    assert driver.stream().played == DATA
    # 1200 bytes are 6250 µs.
    driver.wait(10_000)
    assert driver.stream().heard == DATA[:PERIOD]
    driver.wait(7500 + 6250 - 1)
    assert driver.stream().heard == DATA[: 2 * PERIOD]
    driver.wait(7500 + 6250 + 1)
    assert driver.stream().heard == DATA
    times = [(round(when - driver.started), n) for when, n in driver.stream().heard_at]
    assert times == [(8750, 480), (11250, 960), (13750, 1440)]


def test_a_stop_that_comes_too_early_loses_the_tail(driver_of):
    driver, _ = latent(driver_of)
    driver.wait(10_000)  # 3750 µs of sound were heard, 180 frames
    driver.ask((STOP, 0))
    driver.ask((RELEASE, 0))
    driver.clock.run(1_000_000)
    # The request took 20 µs.
    assert len(driver.stream().heard) == 180 * 4
    assert driver.stream().heard + driver.stream().lost == DATA == driver.stream().played


def test_a_pause_holds_what_was_not_heard(driver_of):
    driver, _ = latent(driver_of)
    driver.wait(10_000)
    driver.ask((STOP, 0))
    driver.wait(50_000)
    assert driver.stream().heard == DATA[:720]
    driver.start()
    # All of it lasts 13750 µs, and the device stopped after 10020.
    driver.wait(3729)
    assert driver.stream().heard == DATA[:960]
    driver.wait(3731)
    assert driver.stream().heard == DATA
    assert not driver.stream().lost


def test_a_device_that_forgets_at_stop(driver_of):
    driver, _ = latent(driver_of, lost_at="STOP")
    driver.wait(10_000)
    driver.ask((STOP, 0))
    driver.start()
    driver.clock.run(100_000)
    assert driver.stream().heard == DATA[:720]
    assert driver.stream().lost == DATA[720:]


def test_a_reset_loses_the_tail(driver_of):
    driver, _ = latent(driver_of)
    driver.wait(7600)
    old = driver.stream()
    driver.reset()
    driver.clock.run(100_000)
    assert len(old.heard) == 0
    assert old.lost == DATA
