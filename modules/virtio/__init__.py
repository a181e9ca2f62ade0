# SPDX-License-Identifier: MIT
"""VirtIO 1.x over virtio-mmio, for any device type.

    mmio    the register page of one device (VirtIO 1.3, 4.2)
    legacy  what differs if its Version is 1 (4.2.4)
    queue   the split virtqueue (2.7)
    cycle   chains that go round and round on a queue: the slots of one stream
    outflow, inflow     the data paths of a stream, to the device and from it
    renewal a device that is reset, with all that it had (2.1.2)
    undisturbed         chains that are awaited while nothing else runs
    dma     the arena: the only memory that a device is told about
    device  the handshake, interrupts, and the end of a device's life (3.1)

Only mmio and legacy touch registers (but for the kick, whose address queue is given), only queue,
cycle, the two flows, renewal and undisturbed touch rings, only dma hands out memory.
"""

from .device import Device, find
from .mmio import MMIO
from .queue import Queue
from .outflow import Outflow
