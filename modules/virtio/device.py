# SPDX-License-Identifier: MIT
"""A virtio device from reset to reset: handshake, queues, interrupts (VirtIO 1.3, 3.1)."""

import errno
from micropython import const
from time import ticks_ms, ticks_diff
import virt
from . import dma, mmio
from .queue import Queue

EVENT_IDX = const(1 << 29)
VERSION_1 = const(1 << 32)

_INT_USED = const(1)
_INT_CONFIG = const(2)

# Every device that is up. Before the board resets, each is quieted, so that none
# writes to memory that the next program uses.
_live = []


def _quiet_all():
    failure = None
    while _live:
        try:
            _live.pop().quiet()
        except Exception as e:
            failure = failure or e  # the others have to be quieted all the same
    if failure:
        raise failure


def find(device_id):
    """Return the transport of the first device with this id (5), None if there is none.

    OSError(ENODEV), saying why, if there is one that cannot be used.
    """
    for base, irq in mmio.slots():
        if mmio.identify(base) == device_id:
            return mmio.MMIO(base, irq)
    return None


class Device:
    """The device behind `transport`, with its features negotiated and its queues set up.

    `supported` are the feature bits that the driver knows besides those of the transport;
    `features` are those that the device offers too. `queues` gives the wanted size of each queue.
    The device is live (DRIVER_OK) when the constructor returns.

    OSError(EOPNOTSUPP) if the device does not offer VERSION_1 or refuses the features,
    OSError(ENODEV) if a queue is missing.
    """

    def __init__(self, transport, supported, queues):
        self.transport = transport
        self.error = None
        self.queues = ()
        self.orphans = []  # regions that go back to the arena when the device is reset
        # The steps of 3.1.1.
        transport.reset()
        transport.add_status(mmio.ACKNOWLEDGE)
        transport.add_status(mmio.DRIVER)
        try:
            self._negotiate(supported | EVENT_IDX | VERSION_1)
            event_idx = bool(self.features & EVENT_IDX)
            for index, size in enumerate(queues):
                limit = transport.queue_size_max(index)
                if limit == 0:
                    raise OSError(
                        errno.ENODEV, "device at %#x has no queue %d" % (transport.base, index)
                    )
                while size > limit:
                    size >>= 1
                self.queues += (Queue(transport, index, size, event_idx, self.fail),)
        except BaseException:  # Ctrl-C too
            transport.add_status(mmio.FAILED)
            # Without DRIVER_OK the device has not touched the rings (2.1.2).
            for queue in self.queues:
                queue.free()
            raise
        # The interrupt itself acknowledges the device and wakes who sleeps; then whoever has
        # chains out looks at his used ring. Only a configuration change runs Python.
        virt.irq(
            transport.irq, self._config_changed,
            transport.interrupt_status_va, transport.interrupt_ack_va,
            _INT_USED | _INT_CONFIG, _INT_CONFIG,
        )
        if not _live:
            virt.at_reset(_quiet_all)
        _live.append(self)
        transport.add_status(mmio.DRIVER_OK)

    def _negotiate(self, supported):
        t = self.transport
        offered = t.features()
        if not offered & VERSION_1:
            raise OSError(
                errno.EOPNOTSUPP, "device at %#x does not offer VIRTIO_F_VERSION_1" % t.base
            )
        self.features = offered & supported
        t.accept(self.features)
        t.add_status(mmio.FEATURES_OK)
        if not t.status() & mmio.FEATURES_OK:
            raise OSError(
                errno.EOPNOTSUPP,
                "device at %#x offers features %#x and refuses %#x of them"
                % (t.base, offered, self.features),
            )

    def _config_changed(self, source):
        if self.transport.status() & mmio.NEEDS_RESET:
            self.fail("device at %#x needs a reset" % self.transport.base)

    def fail(self, why):
        """From now on the device is not to be used, until it is reset."""
        self.error = self.error or why

    def check(self):
        """OSError(EIO) if the device has broken the rules or asked for a reset."""
        if self.error:
            raise OSError(errno.EIO, self.error)

    def wait(self, done, ms):
        """Sleep until done() is true; False if it is not after `ms` milliseconds.

        done() is called at least once, and after every interrupt. OSError(EIO) as check().
        """
        start = ticks_ms()
        while not done():
            self.check()
            left = ms - ticks_diff(ticks_ms(), start)
            if not virt.wait(left) and left <= 0:
                return False
        return True

    def request(self, queue, head, ms):
        """Submit a chain and sleep until the device has returned it; False after `ms` ms."""

        def done():
            queue.reap()
            return head not in queue.busy

        queue.submit(head)
        return self.wait(done, ms)

    def quiet(self):
        """Stop whatever the device does on its own. Drivers that start something override it."""
        self.close()

    def close(self):
        """Reset the device and return its rings to the arena."""
        if self in _live:
            _live.remove(self)
        virt.irq(self.transport.irq, None)
        self.transport.reset()
        for queue in self.queues:
            queue.free()
        for region in self.orphans:
            dma.free(region)
        self.queues = ()
        self.orphans = []
        self.error = "device at %#x is closed" % self.transport.base
