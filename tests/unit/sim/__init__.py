# SPDX-License-Identifier: MIT
"""A simulated board for the frozen modules on CPython, with the sound device of host/virtsnd.

    machine  machine, virt, uctypes, micropython and time, and the modules on top of them
"""

from virtsnd import *
from virtsnd import breaches

from .machine import Board
