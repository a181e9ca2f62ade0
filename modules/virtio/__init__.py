# SPDX-License-Identifier: MIT
"""VirtIO 1.x over virtio-mmio, for any device type.

    mmio    the register page of one device (VirtIO 1.3, 4.2)
    queue   the split virtqueue (2.7)
    cycle   a queue whose chains go round and round: the data path of a stream
    dma     the arena: the only memory that a device is told about
    device  the handshake, interrupts, and the end of a device's life (3.1)

Only mmio touches registers (but for the kick, whose address it gives to queue and cycle), only
queue and cycle touch rings, only dma hands out memory.
"""

from .cycle import Cycle
from .device import Device, find
from .mmio import MMIO
from .queue import Queue
