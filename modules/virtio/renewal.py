# SPDX-License-Identifier: MIT
"""A device that asked for a reset, with the rings, chains and memory that it had (2.1.2).

Nothing that stands in them moves, so that who sleeps at a ring meanwhile goes on as if another
stream had come to the queue: see Cycle. Imported only when a device needs it.
"""

import errno
import virt
from . import mmio
from .cycle import RETURNED, SUBMITTED


def renew(device):
    """Reset `device` and bring it up as it was: the same features, queues, chains; all empty.

    OSError(ETIMEDOUT) if it does not say that it was reset: what it had is still its. After that,
    EOPNOTSUPP if it offers less than before, ENODEV if its queues became smaller.
    """
    t = device.transport
    virt.irq(t.irq, None)
    t.reset()
    t.add_status(mmio.ACKNOWLEDGE)
    t.add_status(mmio.DRIVER)
    features = device.features
    offered = t.features()
    if features & ~offered or not t.accept(features):
        raise OSError(
            errno.EOPNOTSUPP, "it had features %#x and has %#x now" % (features, offered)
        )
    for queue in device.queues:
        queue.renew(t)
    device._interrupts()
    t.add_status(mmio.DRIVER_OK)


def collect(device, indexes):
    """Take back what a device that was reset had returned on these queues of streams.

    From now on each Cycle is one of several on its queue, until it begins anew and is alone.
    OSError(EIO) if what it wrote makes no sense.
    """
    for index in indexes:
        queue = device.queues[index]
        for cycle in queue.cycles:
            cycle._share()
        queue.reap()
    device.check()


# What every Cycle can do, kept here because hardly any ever has to.


def again(cycle):
    """Hand the device all slots that it had: they are played, or recorded to, from the start."""
    queue = cycle.queue
    for slot in _had(cycle):
        if cycle.inward:
            cycle.offer_again(slot)
        queue.submit(cycle.heads[slot], cycle, cycle.kick)


def take_back(cycle):
    """All slots come back: not played, or with nothing in them."""
    if cycle.inward:
        for slot in _had(cycle):
            cycle.lose(slot)
    cycle.counters[RETURNED] = cycle.counters[SUBMITTED]
    cycle._early.clear()


def _had(cycle):
    c = cycle.counters
    return [n % cycle.slots for n in range(c[RETURNED], c[SUBMITTED]) if n not in cycle._early]
