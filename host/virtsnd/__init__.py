# SPDX-License-Identifier: MIT
"""A strict virtio sound device in Python, for those who write drivers (VirtIO 1.4, 5.14).

    protocol   the numbers and names of the specification
    rules      Breach: the driver broke a rule, named as in the checklist of the specification
    clock      simulated time: nothing happens but what is due
    memory     the address space: RAM, and pages that call a device
    ring       the device's side of a split virtqueue
    sound      what the driver asks and says, and who answers:
    jacks, chmaps, controls            items that are described, and changed by requests
    streams, playback, capture         the life cycle; samples that come, samples that go
    events     what the device tells by itself
    device     the sound device: queues, features and configuration around all that
    faults, fault_effects, fault_list  what a hostile or failing device does, by name
    mmio       its register page, for a driver in the same process
    mmio_legacy  that page of the legacy interface, Version 1
    trace, wav                         what happened, to read and to hear
    guarded    the device for a driver elsewhere: after a breach it refuses, and goes on
    vhost_user, vhost_messages, vhost_memory   the device behind QEMU
    daemon     its event loop, in real time; python -m virtsnd is it, demo what it has by itself

The device knows nothing of the driver: it sees registers and memory only.
"""

from . import protocol, ring, sound
from .chmaps import ChmapInfo
from .clock import Clock
from .controls import Control, tlv
from .device import SoundDevice
from .fault_list import FAULTS
from .faults import Fault, Register, Request, Start, Use, inject
from .jacks import JackInfo
from .memory import Memory
from .mmio import MmioTransport
from .protocol import (
    BAD_MSG, CONTROLQ, CTLS, EVENT_IDX, EVENTQ, INDIRECT_DESC, IO_ERR, NOT_SUPP, OK, RXQ, TXQ,
    VERSION_1,
)
from .ring import Ring
from .rules import Breach, breaches
from .sound import NEVER, Sound
from .streams import StreamInfo
from .trace import Trace
from .wav import write_wav
