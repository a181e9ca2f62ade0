# SPDX-License-Identifier: MIT
"""host/virtsnd: registers, features and the life of the device, seen by a driver of bytes."""

import pytest

from raw_driver import SIZE, Driver, Queue
from virtsnd import (
    CONTROLQ, CTLS, EVENT_IDX, INDIRECT_DESC, RXQ, TXQ, VERSION_1, ChmapInfo, breaches,
)
from virtsnd.protocol import (
    ACCESS_PLATFORM, ADMIN_VQ, ANY_LAYOUT, IN_ORDER, NOTIF_CONFIG_DATA, NOTIFICATION_DATA,
    NOTIFY_ON_EMPTY, ORDER_PLATFORM, RING_PACKED, RING_RESET, SR_IOV, SUSPEND,
)

EVERYTHING = (1 << 64) - 1


@pytest.fixture
def driver():
    yield Driver()
    assert not breaches


# The driver's rules: a function of a driver that was only made. Its last access is the breach.


def out_of_order(*status):
    def broken(d):
        d.identify()
        d.reset()
        for value in status:
            d.put("Status", value)
            d.get("Status")

    return broken


def accepted(features):
    def broken(d):
        d.acknowledge()
        d.accept(features)

    return broken


def negotiated(call):
    """Break something after FEATURES_OK."""

    def broken(d):
        d.acknowledge()
        d.accept(VERSION_1)
        call(d)

    return broken


def live(call):
    """Break something after DRIVER_OK."""

    def broken(d):
        d.up()
        call(d)

    return broken


def queue(**registers):
    """Set up queue 2 with some registers different, or not written if None."""

    def broken(d):
        d.put("QueueSel", TXQ)
        if "QueueReady" not in registers:
            d.get("QueueReady")
        ring = Queue(d, TXQ, 16)
        values = {"QueueSize": 16}
        for part, address in (("Desc", ring.desc), ("Driver", ring.avail), ("Device", ring.used)):
            values[f"Queue{part}Low"], values[f"Queue{part}High"] = address, 0
        for name, value in (values | registers).items():
            if value is not None:
                d.put(name, value)
        d.put("QueueReady", 1)

    return negotiated(broken)


def refused(d):
    d.device.refuse_features = True
    d.acknowledge()
    assert not d.accept(VERSION_1)
    d.identify()  # who it is may be asked again
    d.put("QueueSel", 0)


def wrong(name, value, then):
    def broken(d):
        d.page.force[name] = lambda truth: value
        for register in ("MagicValue", "Version", "DeviceID")[: then + 1]:
            d.get(register)
        d.get(("Version", "VendorID", "VendorID")[then])

    return broken


def torn(d):
    d.get("ConfigGeneration")
    d.page.read(0x104, 4)
    d.put("QueueNotify", CONTROLQ)


BROKEN = [
    ("G-01", out_of_order(2)),
    ("G-01", out_of_order(1, 0xB)),
    ("G-01", out_of_order(1, 3, 7)),
    ("G-02", out_of_order(1, 3, 1)),
    ("G-02", out_of_order(1, 2)),
    ("G-03", out_of_order(1, 0x81, 0x83)),
    ("G-05", lambda d: (d.identify(), d.put("Status", 0), d.put("Status", 1))),
    ("I-10", out_of_order(1, 3, 0x13)),
    ("I-10", live(lambda d: d.status(16))),
    ("F-01", accepted(VERSION_1 | EVENT_IDX)),
    ("F-07", accepted(0)),
    ("C-02", live(lambda d: d.page.read(0x104, 4))),
    ("C-02", live(torn)),
    ("I-01", lambda d: (d.identify(), d.reset(), d.put("DriverFeatures", 0))),
    ("I-01", lambda d: (d.acknowledge(), d.add_queue(0))),
    ("I-01", negotiated(lambda d: (d.add_queue(0), d.status(4), d.add_queue(1)))),
    ("I-03", negotiated(lambda d: d.accept(VERSION_1))),
    ("I-04", lambda d: (d.acknowledge(), d.put("DriverFeaturesSel", 1),
                        d.put("DriverFeatures", 1), d.put("Status", 0xB), d.put("QueueSel", 0))),
    ("I-06", refused),
    ("I-07", negotiated(lambda d: (d.add_queue(0), d.put("QueueNotify", 0)))),
    ("4.2.2", live(lambda d: d.put("QueueNotify", 4))),
    ("4.2.2", live(lambda d: d.put("DeviceFeaturesSel", 2))),
    ("4.2.2", live(lambda d: d.put("DriverFeaturesSel", 2))),
    ("4.2.2", live(lambda d: d.put("QueueReady", 2))),
    ("4.2.2", live(lambda d: (d.put("QueueSel", 9), d.put("QueueSize", 1)))),
    ("4.2.2", live(lambda d: (d.put("QueueSel", 9), d.put("QueueDescLow", 0)))),
    ("M-01", live(lambda d: d.page.read(0x02C, 4))),
    ("M-01", live(lambda d: d.page.read(0x110, 4))),
    ("M-01", live(lambda d: d.get("QueueReset"))),
    ("M-02", live(lambda d: d.put("Version", 2))),
    ("M-02", live(lambda d: d.get("QueueNotify"))),
    ("M-02", live(lambda d: d.page.write(0x100, 4, 1))),
    ("M-03", live(lambda d: d.page.read(0x070, 1))),
    ("M-03", live(lambda d: d.page.write(0x072, 2, 0))),
    ("M-03", live(lambda d: d.page.read(0x070, 8))),
    ("M-04", live(lambda d: (d.get("ConfigGeneration"), d.page.read(0x104, 1)))),
    ("M-04", live(lambda d: (d.get("ConfigGeneration"), d.page.read(0x100, 8)))),
    ("M-05", wrong("MagicValue", 0x74726977, 0)),
    ("M-06", wrong("Version", 3, 1)),
    ("M-08", lambda d: (d.acknowledge(), d.get("DeviceFeatures"))),
    ("M-08", lambda d: (d.acknowledge(), d.put("DeviceFeaturesSel", 0), d.get("DeviceFeatures"),
                        d.get("DeviceFeatures"))),
    ("M-09", lambda d: (d.acknowledge(), d.put("DriverFeatures", 0))),
    ("M-10", queue(QueueSize=128)),
    ("M-10", queue(QueueSize=0)),
    ("2.7", queue(QueueSize=24)),
    ("M-11", live(lambda d: (d.put("QueueSel", 0), d.put("QueueSize", 8)))),
    ("M-11", live(lambda d: (d.put("QueueSel", 0), d.put("QueueDeviceHigh", 1)))),
    ("M-12", live(lambda d: (d.put("QueueSel", 0), d.put("QueueReady", 0), d.put("QueueSel", 1)))),
    ("M-14", live(lambda d: d.put("InterruptACK", 4))),
    ("M-14", live(lambda d: d.put("InterruptACK", 1))),
    ("M-14", live(lambda d: (d.page.interrupt(4), d.get("InterruptStatus"),
                             d.put("InterruptACK", 4)))),
    ("M-16", lambda d: d.get("DeviceID")),
    ("M-16", lambda d: (d.get("MagicValue"), d.put("Status", 0))),
    ("M-17", lambda d: (d.get("MagicValue"), d.get("Version"), d.put("Status", 0))),
    ("M-17", wrong("DeviceID", 0, 2)),
    ("M-18", live(lambda d: d.page.write(0x0AC, 4, 0))),
    ("M-20", live(lambda d: (d.page.interrupt(1), d.put("InterruptACK", 1)))),
    ("S-01", live(lambda d: (d.get("ConfigGeneration"), d.page.read(0x10C, 4)))),
    ("4.2.3.2", queue(QueueReady=None)),
    ("4.2.3.2", queue(QueueSize=None)),
    ("4.2.3.2", queue(QueueDriverHigh=None)),
    ("Q-01", queue(QueueDescLow=0x80000008)),
    ("Q-01", queue(QueueDriverLow=0x80000001)),
    ("Q-01", queue(QueueDeviceLow=0x80000002)),
    ("F-09", queue(QueueDeviceLow=0x70000000)),
]


@pytest.mark.parametrize(("rule", "broken"), BROKEN, ids=[rule for rule, _ in BROKEN])
def test_rules(driver, rule, broken):
    driver.breach(rule, broken, driver)
    # After a reset everything is forgiven.
    driver.page.force.clear()
    driver.device.refuse_features = False
    if rule in ("M-05", "M-06", "M-16", "M-17"):  # it does not know yet who is there
        driver.identify()
    driver.reset()
    driver.up()


def test_used_flags_that_are_not_zero(driver):
    driver.acknowledge()
    driver.accept(VERSION_1)
    driver.memory.write(0x8000_0000, b"\1" * 4096)
    driver.breach("Q-16", driver.add_queue, 0)


def test_what_the_driver_may_do(driver):
    """Nothing of this breaks a rule."""
    driver.get("MagicValue")
    driver.get("DeviceID")
    driver.up()
    driver.put("QueueNotify", CONTROLQ)
    driver.put("QueueSel", 7)
    assert driver.get("QueueSizeMax") == 0
    driver.page.interrupt(3)
    assert driver.get("InterruptStatus") == 3
    driver.put("InterruptACK", 1)
    driver.put("InterruptACK", 2)
    driver.status(128)
    driver.reset()
    driver.put("Status", 1)


# Features


@pytest.mark.parametrize(
    ("rule", "feature"),
    [
        ("F-04", NOTIFY_ON_EMPTY), ("F-04", ANY_LAYOUT), ("F-04", 1 << 30),
        ("F-04", NOTIF_CONFIG_DATA), ("F-04", 1 << 5), ("F-04", 1 << 42), ("F-04", 1 << 63),
        ("F-13", SR_IOV), ("F-14", ADMIN_VQ),
    ],
)
def test_features_that_nobody_may_accept(rule, feature):
    driver = Driver(features=EVERYTHING)
    driver.acknowledge()
    driver.breach(rule, driver.accept, VERSION_1 | feature)


@pytest.mark.parametrize("feature", [RING_PACKED, IN_ORDER, SUSPEND])
def test_features_that_this_device_refuses(feature):
    driver = Driver(features=EVERYTHING)
    driver.acknowledge()
    assert not driver.accept(VERSION_1 | feature)
    driver.up_again = driver.reset()
    driver.accepted = VERSION_1
    driver.up()


@pytest.mark.parametrize(
    "features",
    [0, CTLS, EVENT_IDX, INDIRECT_DESC, ACCESS_PLATFORM | ORDER_PLATFORM, CTLS | EVENT_IDX],
)
def test_features_that_work(features):
    driver = Driver(features=EVERYTHING, controls=())
    driver.accepted = VERSION_1 | features
    driver.up()
    assert driver.device.accepted == VERSION_1 | features
    assert len(driver.ask((0x100, 0, 1, 32), 36)) == 32


def test_what_is_offered_by_default():
    from virtsnd import Clock, Control, Memory, SoundDevice

    assert SoundDevice(Clock(), Memory()).features == VERSION_1 | EVENT_IDX
    device = SoundDevice(Clock(), Memory(), controls=(Control(),))
    assert device.features == VERSION_1 | EVENT_IDX | CTLS
    assert len(device.config()) == 16


# Notification data


def test_kicks_with_data():
    driver = Driver(features=VERSION_1 | NOTIFICATION_DATA).up()
    queue = driver.queues[CONTROLQ]
    for index in (1, 2):
        message, answer = driver.bytes(bytes.fromhex("00010000" + 8 * "00" + "20000000")), 4
        queue.publish(queue.chain([(message, 16, False), (driver.alloc(answer), answer, True)]))
        driver.put("QueueNotify", CONTROLQ | index << 16)
        driver.clock.run(100)
        assert len(queue.returned()) == 1
    queue.publish(queue.chain([(driver.alloc(16), 16, False)]))
    driver.breach("4.2.3.3", driver.put, "QueueNotify", CONTROLQ | 2 << 16)


# Queue reset


def reset_queue(driver, index):
    driver.put("QueueSel", index)
    driver.put("QueueReset", 1)


def test_a_queue_that_is_reset():
    driver = Driver(features=VERSION_1 | RING_RESET).up()
    driver.queues[RXQ].publish(driver.queues[RXQ].chain([(driver.alloc(8), 8, True)]))
    reset_queue(driver, RXQ)
    assert driver.get("QueueReset") == 1
    driver.clock.run(1001)
    assert driver.get("QueueReset") == 0
    assert driver.get("QueueReady") == 0
    assert RXQ not in driver.device.rings
    driver.add_queue(RXQ, 8)
    assert driver.device.rings[RXQ].size == 8
    # Without the old buffer nothing is wrong there.
    driver.put("QueueNotify", RXQ)
    driver.clock.run(100)


def test_a_queue_reset_that_makes_no_sense():
    driver = Driver(features=VERSION_1 | RING_RESET).up()
    driver.put("QueueSel", RXQ)
    driver.breach("4.2.2", driver.put, "QueueReset", 2)
    driver.put("QueueReady", 0)
    driver.get("QueueReady")
    driver.breach("4.2.2", driver.put, "QueueReset", 1)


def test_a_queue_reset_that_is_not_awaited():
    driver = Driver(features=VERSION_1 | RING_RESET).up()
    reset_queue(driver, RXQ)
    driver.breach("M-15", driver.add_queue, RXQ)
    assert driver.get("QueueReset") == 1
    driver.breach("M-15", driver.put, "QueueDescLow", 0)
    driver.clock.run(1001)
    driver.breach("M-15", driver.put, "QueueSize", SIZE)
    assert driver.get("QueueReset") == 0
    driver.add_queue(RXQ)


@pytest.mark.parametrize("forgotten", ["QueueReady", "QueueSize", "QueueDescLow"])
def test_a_queue_that_is_not_set_up_anew(forgotten):
    driver = Driver(features=VERSION_1 | RING_RESET).up()
    reset_queue(driver, TXQ)
    driver.clock.run(1001)
    driver.get("QueueReset")
    get, put = driver.get, driver.put
    driver.get = lambda name: get(name) if name != forgotten else 0
    driver.put = lambda name, value: put(name, value) if name != forgotten or value == 1 else None
    driver.breach("R-02", driver.add_queue, TXQ)


# Interrupts and changes


def test_lines_and_levels(driver):
    levels = []
    driver.page.raised = levels.append
    driver.up()
    levels.clear()
    driver.ask((0x100, 0, 0, 32), 4)
    assert levels == [True]
    assert driver.get("InterruptStatus") == 1
    driver.put("InterruptACK", 1)
    assert levels == [True, False]


def test_a_change_before_driver_ok_makes_no_interrupt(driver):
    driver.acknowledge()
    before = driver.get("ConfigGeneration")
    driver.device.change(chmaps=(ChmapInfo(),))
    assert driver.get("ConfigGeneration") == before + 1
    assert driver.page.interrupt_status == 0


def test_needs_reset(driver):
    driver.up()
    driver.page.need_reset()
    assert driver.get("Status") == 0x4F
    assert driver.get("InterruptStatus") == 2
    driver.up()
    assert driver.get("Status") == 0xF
