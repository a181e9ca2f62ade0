# SPDX-License-Identifier: MIT
"""A strict virtio sound device in Python, for those who write drivers (VirtIO 1.3, 5.14).

    rules    Breach: the driver broke a rule, named as in the checklist of the specification
    clock    simulated time: nothing happens but what is due
    memory   the address space: RAM, and pages that call a device
    ring     the device's side of a split virtqueue
    sound    streams, their life cycle, and what they played
    device   the sound device: queues, features and configuration around its streams
    mmio     its register page, for a driver in the same process

The device knows nothing of the driver: it sees registers and memory only.
"""

from .clock import Clock
from .device import CONTROLQ, EVENT_IDX, EVENTQ, RXQ, SoundDevice, TXQ, VERSION_1
from .memory import Memory
from .mmio import MmioTransport
from .ring import Ring
from .rules import Breach, breaches
from .sound import BAD_MSG, IO_ERR, NEVER, NOT_SUPP, OK, Sound, StreamInfo
