# SPDX-License-Identifier: MIT
"""The legacy register page of a virtio-mmio device, Version 1 (VirtIO 1.3, 4.2.4).

The specification defines no legacy sound device. This one is what the rules for legacy devices in
general make of it. The guest's byte order, which rings and configuration have, is little-endian.
"""

from .mmio import ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, REGISTERS, MmioTransport
from .protocol import ANY_LAYOUT, CTLS, EVENT_IDX, INDIRECT_DESC
from .rules import rule

KNOWN = CTLS | ANY_LAYOUT | INDIRECT_DESC | EVENT_IDX  # what a driver may accept at all


def _power_of_two(value):
    return value > 0 and value & (value - 1) == 0


class LegacyMmioTransport(MmioTransport):
    """As MmioTransport. Of the device's features, bits 0 to 31 are offered."""

    VERSION = 1
    REGISTERS = {
        offset: register
        for offset, register in REGISTERS.items()
        if offset < 0x080 and register[0] != "QueueReady"
    } | {
        0x028: ("GuestPageSize", "W"),
        0x03C: ("QueueAlign", "W"),
        0x040: ("QueuePFN", "RW"),
    }
    ORDER = (0, 1, 3, 7)

    def _reset(self):
        super()._reset()
        self.page_size = 0
        self.negotiated = False

    def _write_status(self, value):
        rule(not value & FEATURES_OK, "L-05", f"Status {value:#x}: legacy has no FEATURES_OK")
        live = value & DRIVER_OK and not self.status & DRIVER_OK
        rule(self.negotiated or not live, "L-05", "DRIVER_OK before DriverFeatures")
        super()._write_status(value)

    # Features

    def _read_devicefeatures(self):
        sel = self._selected("DeviceFeatures", "M-08")
        return 0 if sel else self.device.features & 0xFFFFFFFF

    def _write_driverfeatures(self, value):
        early = self.status != ACKNOWLEDGE | DRIVER
        rule(not early, "I-01", f"DriverFeatures in Status {self.status:#x}")
        sel = self._selected("DriverFeatures", "M-09")
        rule(sel == 0, "4.2.4", "DriverFeatures of word 1, which legacy has not")
        offered = self.device.features & 0xFFFFFFFF
        rule(not value & ~offered, "F-01", f"{value & ~offered:#x} was not offered")
        rule(not value & 1 << 30, "L-07", "bit 30 is never to be accepted")
        rule(not value & ~KNOWN, "F-04", f"{value & ~KNOWN:#x} is not for this device")
        rule(value & ANY_LAYOUT or not offered & ANY_LAYOUT, "L-07", "ANY_LAYOUT not accepted")
        self.device.accepted = value
        self.negotiated = True

    # Queues. `ready` of a queue is its page number.

    def _write_guestpagesize(self, value):
        rule(_power_of_two(value), "4.2.4", f"GuestPageSize {value}")
        rule(not self.page_size, "4.2.4", "GuestPageSize once more, without a reset")
        self.page_size = value

    def _read_queuesizemax(self):
        in_use = self.queue_sel in self.queues and self.queue.ready
        rule(not in_use, "4.2.4", "QueueSizeMax means nothing while QueuePFN is not 0")
        return super()._read_queuesizemax()

    def _write_queuealign(self, value):
        rule(_power_of_two(value), "4.2.4", f"QueueAlign {value}")
        rule(not self.queue.ready, "4.2.4", "QueueAlign of a queue that is in use")
        self.queue.registers["QueueAlign"] = value

    def _read_queuepfn(self):
        if self.queue_sel not in self.queues:
            return 0
        self.queue.asked = True
        return self.queue.ready

    def _write_queuepfn(self, value):
        queue = self.queue
        if value:
            align = queue.registers.get("QueueAlign")
            rule(self.negotiated, "I-01", "queue set up before the features are negotiated")
            rule(not self.status & DRIVER_OK, "I-01", f"queue set up in Status {self.status:#x}")
            rule(self.page_size, "4.2.4", "QueuePFN before GuestPageSize")
            rule(queue.asked, "4.2.4", "QueuePFN not read before the queue is set up")
            rule(not queue.ready, "4.2.4", "QueuePFN of a queue that is in use")
            rule(queue.size, "4.2.4", "QueueSize not written")
            rule(align, "4.2.4", "QueueAlign not written")
            # 2.7.2: one block, the used ring aligned.
            desc = value * self.page_size
            avail = desc + 16 * queue.size
            used = -(-(avail + 6 + 2 * queue.size) // align) * align
            self.device.add_queue(self.queue_sel, queue.size, desc, avail, used)
        else:
            self.device.rings.pop(self.queue_sel, None)
        queue.ready = value
