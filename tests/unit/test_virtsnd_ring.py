# SPDX-License-Identifier: MIT
"""host/virtsnd: the device's side of the rings, seen by a driver of bytes."""

import struct

import pytest

from raw_driver import (
    INDIRECT, NEXT, PREPARE, RAM, READABLE, SIZE, START, STOP, WRITABLE, WRITE, Driver, params,
)
from virtsnd import CONTROLQ, EVENT_IDX, INDIRECT_DESC, RXQ, TXQ, VERSION_1, StreamInfo, breaches
from virtsnd.protocol import MSG_POLLING

QUERY = struct.pack("<4I", 0x100, 0, 1, 32)


@pytest.fixture
def driver_of():
    yield lambda **options: Driver(**options).up()
    assert not breaches


def by_hand(driver, *descriptors):
    """Write descriptors (address, bytes, flags, next) from 0, publish 0 and kick."""
    queue = driver.queues[CONTROLQ]
    for at, descriptor in enumerate(descriptors):
        queue.describe(at, *descriptor)
    queue.publish(0)
    driver.put("QueueNotify", CONTROLQ)


A = RAM + 0x80000  # memory that nobody else uses
BOTH = NEXT | WRITE

CHAINS = [
    ("Q-02", ((A, 4, BOTH, 1), (A, 4, 0, 0))),
    ("Q-02", ((A, 4, NEXT, 1), (A, 4, BOTH, 2), (A, 4, NEXT, 3), (A, 4, WRITE, 0))),
    ("Q-03", ((A, 0, NEXT, 1), (A, 4, WRITE, 0))),
    ("Q-04", ((A, 4, NEXT, 1), (A, 4, NEXT, 0))),
    ("Q-04", ((A, 4, NEXT, 0),)),
    ("Q-04", tuple((A, 0xFFFFFFFF, NEXT, k + 1) for k in range(2)) + ((A, 4, 0, 0),)),
    ("Q-06", ((A, 16, INDIRECT, 0),)),
    ("Q-08", ((A, 4, NEXT, SIZE),)),
    ("Q-08", ((A, 4, NEXT, 0xFFFF),)),
    ("F-09", ((RAM - 4, 8, NEXT, 1), (A, 4, WRITE, 0))),
    ("F-09", ((A, 4, NEXT, 1), (0, 4, WRITE, 0))),
    ("F-09", ((A, 4, NEXT, 1), (RAM + (1 << 20) - 4, 8, WRITE, 0))),
    ("F-09", ((A, 4, NEXT, 1), ((1 << 64) - 2, 4, WRITE, 0))),
]


@pytest.mark.parametrize(("rule", "descriptors"), CHAINS)
def test_chains(driver_of, rule, descriptors):
    driver = driver_of()
    driver.breach(rule, by_hand, driver, *descriptors)


def test_memory_that_the_device_must_not_write(driver_of):
    driver = driver_of()
    lent = 0x9000_0000
    driver.memory.add_ram(lent, QUERY.ljust(64, b"\0"), writable=False)
    driver.send(CONTROLQ, (lent, 16, READABLE), (driver.alloc(36), 36, WRITABLE))
    driver.clock.run(100)
    driver.breach("F-09", driver.send, CONTROLQ, (lent, 16, READABLE), (lent, 36, WRITABLE))


def test_a_head_that_is_no_descriptor(driver_of):
    driver = driver_of()
    driver.queues[CONTROLQ].publish(SIZE)
    driver.breach("Q-08", driver.put, "QueueNotify", CONTROLQ)


def test_too_many_descriptors(driver_of):
    driver = driver_of(descriptors_max=3)
    parts = [(driver.bytes(QUERY[at : at + 8]), 8, READABLE) for at in (0, 8)]
    answer = driver.alloc(36)
    driver.send(CONTROLQ, *parts, (answer, 36, WRITABLE))
    driver.clock.run(100)
    assert driver.memory.read(answer, 36)[4:] == StreamInfo().record()
    parts += [(answer, 18, WRITABLE), (answer + 18, 18, WRITABLE)]
    driver.breach("Q-03", driver.send, CONTROLQ, *parts)


def test_any_framing_will_do(driver_of):
    """A message may be cut anywhere (2.7.4.1)."""
    driver = driver_of()
    parts = [(driver.bytes(QUERY[at : at + 2]), 2, READABLE) for at in range(0, 16, 2)]
    answers = [driver.alloc(6) for _ in range(6)]
    driver.send(CONTROLQ, *parts, *((at, 6, WRITABLE) for at in answers))
    driver.clock.run(100)
    assert driver.queues[CONTROLQ].returned() == [(0, 36)]
    answer = b"".join(driver.memory.read(at, 6) for at in answers)
    assert answer == b"\0\x80\0\0" + StreamInfo().record()


# Indirect descriptors


def test_indirect(driver_of):
    driver = driver_of(features=VERSION_1 | INDIRECT_DESC)
    queue = driver.queues[CONTROLQ]
    answer = driver.alloc(36)
    head = queue.table([(driver.bytes(QUERY), 16, READABLE), (answer, 36, WRITABLE)])
    queue.publish(head)
    driver.put("QueueNotify", CONTROLQ)
    driver.clock.run(100)
    assert queue.returned() == [(head, 36)]
    assert driver.memory.read(answer + 4, 32) == StreamInfo().record()


def test_direct_then_indirect(driver_of):
    driver = driver_of(features=VERSION_1 | INDIRECT_DESC)
    queue = driver.queues[CONTROLQ]
    table, answer = driver.alloc(32), driver.alloc(36)
    queue.describe(0, driver.bytes(QUERY[8:]), 8, NEXT, 1, table)
    queue.describe(1, answer, 36, WRITE, 0, table)
    # WRITE means nothing beside INDIRECT.
    by_hand(driver, (driver.bytes(QUERY[:8]), 8, NEXT, 1), (table, 32, INDIRECT | WRITE, 0))
    driver.clock.run(100)
    assert driver.memory.read(answer + 4, 32) == StreamInfo().record()


def indirect(*table, n=None, flags=INDIRECT):
    """One descriptor for a table of descriptors."""

    def broken(driver):
        at = driver.alloc(16 * len(table))
        for k, descriptor in enumerate(table):
            driver.queues[CONTROLQ].describe(k, *descriptor, table=at)
        by_hand(driver, (at, 16 * len(table) if n is None else n, flags, 1), (A, 16, 0, 0))

    return broken


TABLES = [
    ("Q-07", indirect((A, 16, INDIRECT, 0))),
    ("Q-08", indirect((A, 16, NEXT, 2), (A, 16, 0, 0))),
    ("Q-08", indirect(*((A, 4, NEXT, k + 1) for k in range(SIZE)), (A, 4, 0, 0))),
    ("Q-09", indirect((A, 16, 0, 0), flags=INDIRECT | NEXT)),
    ("Q-02", indirect((A, 4, BOTH, 1), (A, 4, 0, 0))),
    ("Q-04", indirect((A, 4, NEXT, 1), (A, 4, NEXT, 0))),
    ("2.7.5.3", indirect((A, 4, 0, 0), n=15)),
    ("Q-03", indirect((A, 4, 0, 0), n=0)),
]


@pytest.mark.parametrize(("rule", "broken"), TABLES, ids=[rule for rule, _ in TABLES])
def test_tables(rule, broken):
    driver = Driver(features=VERSION_1 | INDIRECT_DESC).up()
    driver.breach(rule, broken, driver)


def test_a_table_as_long_as_the_queue(driver_of):
    driver = driver_of(features=VERSION_1 | INDIRECT_DESC)
    queue = driver.queues[CONTROLQ]
    answer = driver.alloc(36)
    parts = [(driver.bytes(QUERY[k : k + 1]), 1, READABLE) for k in range(15)]
    queue.publish(queue.table(parts[:-1] + [(driver.bytes(QUERY[14:]), 2, READABLE),
                                            (answer, 36, WRITABLE)]))
    driver.put("QueueNotify", CONTROLQ)
    driver.clock.run(100)
    assert driver.memory.read(answer + 4, 32) == StreamInfo().record()


def test_a_table_that_changes_meanwhile(driver_of):
    driver = driver_of(features=VERSION_1 | INDIRECT_DESC)
    driver.ask(params())
    driver.ask((PREPARE, 0))
    queue = driver.queues[TXQ]
    head = queue.table([
        (driver.bytes(bytes(4)), 4, READABLE), (driver.bytes(bytes(480)), 480, READABLE),
        (driver.alloc(8), 8, WRITABLE),
    ])
    queue.publish(head)
    driver.put("QueueNotify", TXQ)
    driver.ask((START, 0))
    (table, *_), *_ = struct.iter_unpack("<QIHH", driver.memory.read(queue.desc + 16 * head, 16))
    driver.memory.write(table + 8, b"\5")
    driver.breach("I-08", driver.clock.run, 2500)


# The available ring


def test_the_index_goes_back(driver_of):
    driver = driver_of()
    driver.ask(QUERY, 36)
    driver.memory.set_word(driver.queues[CONTROLQ].avail + 2, 2, 0)
    driver.breach("Q-11", driver.put, "QueueNotify", CONTROLQ)


def test_more_chains_than_the_queue_has(driver_of):
    driver = driver_of()
    driver.memory.set_word(driver.queues[CONTROLQ].avail + 2, 2, SIZE + 1)
    driver.breach("Q-11", driver.put, "QueueNotify", CONTROLQ)


@pytest.mark.parametrize(
    ("rule", "features", "flags"),
    [("Q-12", 0, 2), ("Q-12", 0, 0x8000), ("Q-13", EVENT_IDX, 1), ("Q-13", EVENT_IDX, 2)],
)
def test_flags(driver_of, rule, features, flags):
    driver = driver_of(features=VERSION_1 | features)
    driver.memory.set_word(driver.queues[CONTROLQ].avail, 2, flags)
    driver.breach(rule, driver.put, "QueueNotify", CONTROLQ)


def test_a_chain_that_is_published_twice(driver_of):
    driver = driver_of()
    driver.ask(params())
    driver.ask((PREPARE, 0))
    head, _ = driver.play(0, bytes(480))
    driver.queues[TXQ].publish(head)
    driver.breach("I-08", driver.put, "QueueNotify", TXQ)


# Kicks


@pytest.mark.parametrize(("rule", "features"), [("Q-18", 0), ("Q-20", EVENT_IDX)])
def test_a_kick_that_does_not_come(driver_of, rule, features):
    driver = driver_of(features=VERSION_1 | features)
    queue = driver.queues[CONTROLQ]
    queue.publish(queue.chain([
        (driver.bytes(QUERY), 16, READABLE), (driver.alloc(36), 36, WRITABLE)
    ]))
    driver.clock.run(300_000)
    driver.breach(rule, driver.clock.run, 600_000)
    driver.clock.run(3_000_000)  # it is said once
    driver.put("QueueNotify", CONTROLQ)
    driver.clock.run(3_000_000)
    assert len(queue.returned()) == 1


def test_a_kick_that_comes_late(driver_of):
    driver = driver_of()
    queue = driver.queues[CONTROLQ]
    for _ in range(3):
        queue.publish(queue.chain([
            (driver.bytes(QUERY), 16, READABLE), (driver.alloc(36), 36, WRITABLE)
        ]))
        driver.clock.run(390_000)
        driver.put("QueueNotify", CONTROLQ)
        driver.clock.run(390_000)
    assert len(queue.returned()) == 3


def test_a_device_that_wants_no_kicks(driver_of):
    driver = Driver()
    driver.device.silent = True
    driver.up()
    queue = driver.queues[CONTROLQ]
    queue.publish(queue.chain([
        (driver.bytes(QUERY), 16, READABLE), (driver.alloc(36), 36, WRITABLE)
    ]))
    driver.clock.run(1100)
    assert len(queue.returned()) == 1
    driver.clock.run(2_000_000)


def test_kicks_that_nobody_asked_for_are_counted(driver_of):
    driver = driver_of(features=VERSION_1 | EVENT_IDX)
    driver.put("QueueNotify", CONTROLQ)
    driver.put("QueueNotify", TXQ)
    assert driver.device.spurious == 2
    assert driver.device.kicks == [CONTROLQ, TXQ]


# MSG_POLLING


def polled(driver_of, *streams):
    driver = driver_of(streams=streams or (StreamInfo(features=MSG_POLLING),))
    driver.ask(params(features=MSG_POLLING))
    driver.ask((PREPARE, 0))
    kick = driver.put
    driver.put = lambda name, value: name == "QueueNotify" and value >= TXQ or kick(name, value)
    return driver


def test_polling(driver_of):
    driver = polled(driver_of)
    data = [bytes([k]) * 480 for k in range(4)]
    driver.play(0, data[0])
    driver.play(0, data[1])
    driver.ask((START, 0))
    driver.clock.run(4000)
    driver.play(0, data[2])
    driver.clock.run(3 * 2500)
    stream = driver.device.sound.streams[0]
    assert stream.played == b"".join(data[:3])
    driver.play(0, data[3])
    driver.ask((STOP, 0))
    driver.ask((0x103, 0))
    assert stream.dropped == data[3]
    assert len(driver.queues[TXQ].returned()) == 4
    driver.clock.run(3_000_000)


def test_polling_of_an_input(driver_of):
    driver = polled(driver_of, StreamInfo(direction=1, features=MSG_POLLING, feed=b"\7" * 960))
    for _ in range(2):
        driver.record(0, 480)
    driver.ask((START, 0))
    driver.clock.run(5100)
    assert driver.device.sound.streams[0].recorded == b"\7" * 960


def test_a_kick_for_polled_streams(driver_of):
    driver = driver_of(streams=(StreamInfo(features=MSG_POLLING), StreamInfo()))
    driver.ask(params(features=MSG_POLLING))
    driver.put("QueueNotify", TXQ)  # nobody may have buffers yet
    driver.ask((PREPARE, 0))
    driver.breach("S-35", driver.put, "QueueNotify", TXQ)
    driver.put("QueueNotify", RXQ)
    # Another stream of the queue wants its kicks.
    driver.ask(params(1))
    driver.ask((PREPARE, 1))
    driver.play(1, bytes(480))
    driver.clock.run(100)


# What a script may do to completions


def test_used_entries_of_any_kind(driver_of):
    driver = driver_of()
    driver.device.used = lambda index, head, n: [(head + 7, n + 1), (0xFFFFFFFF, 0)]
    head = driver.send(
        CONTROLQ, (driver.bytes(QUERY), 16, READABLE), (driver.alloc(36), 36, WRITABLE)
    )
    driver.clock.run(100)
    assert driver.queues[CONTROLQ].returned() == [(head + 7, 37), (0xFFFFFFFF, 0)]


def test_completions_that_are_late_and_overtake_each_other(driver_of):
    driver = driver_of()
    driver.device.delay = lambda index, head: 5000 if head == 0 else 1000
    message = driver.bytes(QUERY), 16, READABLE
    heads = [driver.send(CONTROLQ, message, (driver.alloc(36), 36, WRITABLE)) for _ in range(2)]
    driver.clock.run(900)
    assert driver.queues[CONTROLQ].returned() == []
    driver.clock.run(200)
    assert driver.queues[CONTROLQ].returned() == [(heads[1], 36)]
    driver.clock.run(4000)
    assert driver.queues[CONTROLQ].returned() == [(heads[0], 36)]


def test_a_late_completion_after_a_reset(driver_of):
    driver = driver_of()
    driver.device.delay = lambda index, head: 5000
    driver.send(CONTROLQ, (driver.bytes(QUERY), 16, READABLE), (driver.alloc(36), 36, WRITABLE))
    driver.clock.run(100)
    driver.up()
    driver.clock.run(10_000)
    assert driver.queues[CONTROLQ].returned() == []


def test_lost_interrupts(driver_of):
    driver = driver_of()
    driver.device.lose = lambda index: index == CONTROLQ
    driver.ask(QUERY, 36)
    assert driver.page.interrupt_status == 0
    driver.device.lose = lambda index: False
    driver.ask(QUERY, 36)
    assert driver.page.interrupt_status == 1
