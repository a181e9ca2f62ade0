# SPDX-License-Identifier: MIT
"""host/virtsnd: what a script may make the device do wrong (docs/device.md, Misbehaviour).

Wrong used entries are in test_virtsnd_ring.py, bad records in test_virtsnd_items.py.
"""

import struct

import pytest

from raw_driver import PERIOD, PERIOD_US, RELEASE, START, STOP, Driver, prepared, samples
from virtsnd import IO_ERR, NEVER, NOT_SUPP, OK, TXQ, JackInfo, StreamInfo, breaches


@pytest.fixture
def driver():
    """A Driver whose stream 0 is prepared."""
    yield prepared()
    assert not breaches


def queue_up(driver, count):
    return [driver.play(0, samples(PERIOD, k)) for k in range(count)]


def test_one_refusal(driver):
    driver.device.sound.script["START"] += [IO_ERR, OK, NOT_SUPP]
    driver.refused(IO_ERR, (START, 0))
    driver.ask((START, 0))
    driver.ask((STOP, 0))
    driver.refused(NOT_SUPP, (START, 0))
    driver.ask((START, 0))


def test_an_answer_of_any_bytes(driver):
    asked = []
    driver.device.sound.script["PCM_INFO"].append(
        lambda request, room: asked.append((request, room)) or b"any"
    )
    message = struct.pack("<4I", 0x100, 0, 1, 32)
    assert driver.request(message, 36) == b"any"
    assert asked == [(message, 36)]


def test_a_refused_command_still_keeps_the_rules(driver):
    driver.device.sound.script["STOP"].append(IO_ERR)
    driver.breach("S-30", driver.request, (STOP, 0))
    assert driver.device.sound.script["STOP"] == [IO_ERR]


def test_no_answer(driver):
    driver.device.sound.script["START"].append(NEVER)
    with pytest.raises(AssertionError, match="no answer"):
        driver.request((START, 0))
    assert driver.stream().last == "PREPARE"


def test_buffers_in_another_order(driver):
    driver.device.sound.pick = lambda pending: len(pending) - 1
    sent = queue_up(driver, 3)
    driver.start()
    driver.wait(3 * PERIOD_US + 1)
    assert driver.queues[TXQ].returned() == [(head, 8) for head, _ in reversed(sent)]
    assert driver.stream().played == b"".join(samples(PERIOD, k) for k in (2, 1, 0))


def test_buffers_that_are_never_done(driver):
    driver.device.sound.pick = lambda pending: None
    queue_up(driver, 2)
    driver.start()
    driver.wait(10 * PERIOD_US)
    assert driver.queues[TXQ].returned() == []
    assert driver.stream().xruns == 0


def test_release_that_keeps_a_buffer(driver):
    driver.device.sound.flush = lambda pending: list(pending)[:0:-1]
    sent = queue_up(driver, 3)
    driver.ask((RELEASE, 0))
    assert [head for head, _ in driver.queues[TXQ].returned()] == [sent[2][0], sent[1][0]]
    assert len(driver.stream().pending) == 1


def test_statuses_of_any_kind(driver):
    driver.device.sound.status = lambda stream, number: (0x8000 + number, 0xFFFFFFFF - number)
    sent = queue_up(driver, 3)
    driver.start()
    driver.wait(3 * PERIOD_US + 1)
    assert [driver.status_at(at) for _, at in sent] == [
        (0x8000, 0xFFFFFFFF), (0x8001, 0xFFFFFFFE), (0x8002, 0xFFFFFFFD)
    ]
    assert driver.stream().played == samples(PERIOD)


def test_too_soon(driver):
    queue_up(driver, 3)
    driver.device.tick(2)
    assert len(driver.queues[TXQ].returned()) == 2
    assert driver.stream().last == "PREPARE"


def test_a_device_that_stands_still(driver):
    driver.device.sound.paced = False
    queue_up(driver, 1)
    driver.start()
    driver.wait(10 * PERIOD_US)
    assert driver.queues[TXQ].returned() == []


def test_a_flood_of_events():
    driver = Driver(jacks=(JackInfo(),)).up()
    driver.device.events.hold = True
    for _ in range(100):
        driver.device.plug(0)
    came = 0
    for _ in range(50):
        driver.listen(2)
        came += len(driver.events())
    assert came == 100


def test_interrupts_for_nothing(driver):
    levels = []
    driver.page.raised = levels.append
    driver.device.interrupt(TXQ)
    assert levels == [True]
    assert driver.queues[TXQ].returned() == []
    driver.page.interrupt(0xFFFFFFFC)
    assert driver.get("InterruptStatus") == 0xFFFFFFFD
    driver.put("InterruptACK", 1)


def test_a_request_that_ends_in_needs_reset(driver):
    driver.device.sound.script["START"].append(lambda request, room: driver.page.need_reset())
    with pytest.raises(AssertionError, match="no answer"):
        driver.request((START, 0))
    assert driver.get("Status") == 0x4F
    driver.up()


def test_a_reset_that_never_ends(driver):
    driver.page.force["Status"] = lambda value: value or 1
    driver.put("Status", 0)
    assert [driver.get("Status") for _ in range(3)] == [1, 1, 1]


def test_a_configuration_that_never_stands_still(driver):
    numbers = iter(range(100))
    driver.page.force["ConfigGeneration"] = lambda value: next(numbers)
    assert driver.get("ConfigGeneration") != driver.get("ConfigGeneration")


def test_descriptors_that_are_overwritten(driver):
    sent = queue_up(driver, 2)
    driver.clock.run(100)
    driver.device.rings[TXQ].scribble(0xAA)
    queue = driver.queues[TXQ]
    assert driver.memory.read(queue.desc, 16 * queue.size) == b"\xaa" * 16 * queue.size
    driver.start()
    driver.wait(2 * PERIOD_US + 1)
    # That is the device's fault, not the driver's.
    assert queue.returned() == [(head, 8) for head, _ in sent]
    assert driver.stream().played == samples(PERIOD) + samples(PERIOD, 1)


def test_a_queue_that_is_missing():
    driver = Driver()
    driver.device.queue_max[3] = 0
    driver.acknowledge()
    driver.put("QueueSel", 3)
    assert driver.get("QueueSizeMax") == 0
    assert not breaches


def test_options_of_a_stream_hold_until_the_reset(driver):
    driver.stream().speed = 10
    queue_up(driver, 1)
    driver.start()
    driver.wait(PERIOD_US / 10 + 1)
    assert driver.stream().played == samples(PERIOD)
    driver.up()
    assert driver.stream().speed == 1 == StreamInfo().speed
