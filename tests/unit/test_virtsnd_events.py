# SPDX-License-Identifier: MIT
"""host/virtsnd: the event queue."""

import pytest

from raw_driver import PREPARE, READABLE, START, WRITABLE, Driver, params
from virtsnd import CTLS, EVENTQ, VERSION_1, Control, JackInfo, StreamInfo, breaches
from virtsnd.protocol import EVT_SHMEM_PERIODS, EVT_XRUNS

OPTIONS = dict(
    features=VERSION_1 | CTLS,
    jacks=(JackInfo(),) * 4,
    controls=(Control(),) * 6,
    streams=(StreamInfo(features=EVT_XRUNS | EVT_SHMEM_PERIODS), StreamInfo()),
)


@pytest.fixture
def driver():
    yield Driver(**OPTIONS).up()
    assert not breaches


def hexed(text):
    return bytes.fromhex(text)


def test_the_events_of_the_golden_vectors(driver):
    driver.listen(5)
    device = driver.device
    driver.ask(params(features=EVT_XRUNS | EVT_SHMEM_PERIODS))
    assert device.plug(3)
    assert device.plug(3, False)
    assert device.xrun(0)
    assert device.period_elapsed(0)
    assert device.control_changed(5, 5)
    assert driver.events() == [
        hexed("00100000 03000000"),
        hexed("01100000 03000000"),
        hexed("01110000 00000000"),
        hexed("00110000 00000000"),
        hexed("00120000 05000500"),
    ]
    assert device.lost_events == 0


def test_a_jack_says_what_its_event_said(driver):
    driver.listen()
    driver.device.plug(1, False)
    jacks = driver.ask((0x001, 0, 2, 24), 52)
    assert (jacks[16], jacks[40]) == (1, 0)


def test_only_what_was_selected(driver):
    driver.listen()
    device = driver.device
    assert not device.xrun(0)
    driver.ask(params(features=EVT_SHMEM_PERIODS))
    assert not device.xrun(0)
    assert device.period_elapsed(0)
    driver.ask(params(features=EVT_XRUNS))
    assert not device.period_elapsed(0)
    assert not device.xrun(1)
    assert driver.events() == [hexed("00110000 00000000")]
    assert device.xrun(1, force=True)
    assert device.period_elapsed(0, force=True)
    assert driver.events() == [hexed("01110000 01000000"), hexed("00110000 00000000")]


def test_control_events_without_ctls():
    driver = Driver(**OPTIONS)
    driver.accepted = VERSION_1
    driver.up().listen()
    assert not driver.device.control_changed(0)
    assert driver.device.control_changed(2, 7, force=True)
    assert driver.events() == [hexed("00120000 02000700")]


def test_events_without_a_buffer_are_lost(driver):
    driver.listen(2)
    for jack in range(4):
        driver.device.plug(jack)
    assert [event[4] for event in driver.events()] == [0, 1]
    assert driver.device.lost_events == 2


def test_events_may_be_held(driver):
    driver.device.events.hold = True
    for jack in range(3):
        assert not driver.device.plug(jack)
    driver.listen(2)
    assert [event[4] for event in driver.events()] == [0, 1]
    driver.listen(2)
    assert [event[4] for event in driver.events()] == [2]
    assert driver.device.lost_events == 0


def test_a_reset_forgets_buffers_and_events(driver):
    driver.listen()
    driver.up()
    assert not driver.device.plug(0)
    driver.device.events.hold = True
    driver.device.plug(1)
    driver.up()
    driver.listen()
    assert driver.events() == []


def test_events_that_mean_nothing(driver):
    driver.listen(2)
    driver.device.event(0xDEADBEEF, 0x01020304)
    driver.device.event(0x1000, 99, length=4)
    assert driver.events() == [hexed("efbeadde 04030201"), hexed("00100000")]


def test_an_underrun_is_told_once(driver):
    driver.listen()
    driver.ask(params(features=EVT_XRUNS))
    driver.ask((PREPARE, 0))
    driver.play(0, bytes(480))
    driver.ask((START, 0))
    driver.clock.run(2600)
    assert driver.events() == []
    driver.clock.run(5000)
    assert driver.events() == [hexed("01110000 00000000")]
    driver.play(0, bytes(480))
    driver.clock.run(9000)
    assert driver.events() == [hexed("01110000 00000000")]
    assert driver.device.sound.streams[0].xruns == 4


def test_an_underrun_is_not_told(driver):
    driver.listen()
    driver.ask(params())
    driver.ask((PREPARE, 0))
    driver.ask((START, 0))
    driver.clock.run(10_000)
    assert driver.events() == []
    assert driver.device.sound.streams[0].xruns == 4


def test_a_driver_that_does_not_listen(driver):
    driver.device.events.wanted = True
    driver.ask((0x100, 0, 2, 32), 68)
    driver.breach("S-02", driver.request, params())
    driver.listen(1)
    driver.device.plug(0)  # that was the only one: it need not be there all the time
    driver.ask(params())


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ("S-02", ((7, WRITABLE),)),
        ("S-02", ((4, WRITABLE), (3, WRITABLE))),
        ("S-03", ((8, READABLE),)),
        ("S-03", ((4, READABLE), (8, WRITABLE))),
    ],
)
def test_rules(driver, rule, parts):
    parts = [(driver.alloc(n), n, writable) for n, writable in parts]
    driver.breach(rule, driver.send, EVENTQ, *parts)
    driver.listen(1)
    assert driver.device.plug(0)
