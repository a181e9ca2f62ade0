# SPDX-License-Identifier: MIT
"""A simulated board for the frozen modules on CPython, with the sound device of host/virtsnd.

    machine  machine, virt, uctypes, micropython and time, and the modules on top of them
"""

from virtsnd import (
    BAD_MSG, CONTROLQ, CTLS, EVENT_IDX, EVENTQ, INDIRECT_DESC, IO_ERR, NEVER, NOT_SUPP, OK, RXQ,
    TXQ, VERSION_1, Breach, ChmapInfo, Clock, Control, JackInfo, Memory, MmioTransport, Ring,
    Sound, SoundDevice, StreamInfo, breaches, protocol, ring, sound,
    tlv,
)

from .machine import Board
