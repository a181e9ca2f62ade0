# SPDX-License-Identifier: MIT
"""A simulated board with a strict virtio sound device, for the frozen modules on CPython.

    rules    Breach: the driver broke a rule, named as in the checklist of the specification
    clock    simulated time: nothing happens but what is due
    memory   the address space: RAM, and pages that call a device
    ring     the device's side of a split virtqueue
    sound    streams, their life cycle, and what they played
    device   the sound device: queues, features and configuration around its streams
    mmio     its register page; a vhost-user front would stand in the same place
    machine  machine, virt, uctypes, micropython and time, and the modules on top of them

The device knows nothing of the driver: it sees registers and memory only.
"""

from .clock import Clock
from .device import CONTROLQ, EVENT_IDX, EVENTQ, RXQ, SoundDevice, TXQ, VERSION_1
from .machine import Board
from .memory import Memory
from .mmio import MmioTransport
from .ring import Ring
from .rules import Breach, breaches
from .sound import BAD_MSG, IO_ERR, NEVER, NOT_SUPP, OK, Sound, StreamInfo
