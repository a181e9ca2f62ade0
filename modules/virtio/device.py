# SPDX-License-Identifier: MIT
"""A virtio device from reset to reset: handshake, queues, interrupts (VirtIO 1.3, 3.1)."""

import errno
from micropython import const
from time import ticks_ms, ticks_diff
import virt
from . import dma, mmio
from .queue import EVENT_IDX, INDIRECT_DESC, Queue

_ANY_LAYOUT = const(1 << 27)
VERSION_1 = const(1 << 32)
# ACCESS_PLATFORM: no IOMMU lies between this board's devices and memory, addresses are physical in
# any case. ORDER_PLATFORM: the barriers of module virt hold for devices too (6.1).
_PLATFORM = const(1 << 33 | 1 << 36)

_INT_USED = const(1)
_INT_CONFIG = const(2)

# Every device that is up. Before the board resets, each is quieted, so that none
# writes to memory that the next program uses.
_live = []

# By base address: regions of devices that never said that they were reset. They may still write
# there, so it is nobody's until they say so.
_quarantine = {}


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
            return mmio.transport(base, irq)
    return None


class Device:
    """The device behind `transport`, with its features negotiated and its queues set up.

    `supported` are the feature bits that the driver knows besides those of the transport;
    `features` are those that the device offers too. `queues` gives the wanted size of each queue.
    The device is live (DRIVER_OK) when the constructor returns.

    What comes back on queue number `watched` is reaped soon after its interrupt, without anybody
    waiting for it; when the configuration changes, config_changed() is called. What comes back
    on the others is the business of those who wait, or of listen().

    OSError(EOPNOTSUPP) if the device does not offer VERSION_1 or refuses the features,
    OSError(ENODEV) if a queue is missing.
    """

    def __init__(self, transport, supported, queues, watched=None):
        self.transport = transport
        self.error = None
        self.listeners = ()  # see listen()
        self._watched = None
        self.queues = ()
        self.orphans = []  # regions that go back to the arena when the device is reset
        # The steps of 3.1.1.
        transport.reset()
        if _quarantine:
            for region in _quarantine.pop(transport.base, ()):
                dma.free(region)
        transport.add_status(mmio.ACKNOWLEDGE)
        transport.add_status(mmio.DRIVER)
        rings = [None] * len(queues)
        try:
            supported |= INDIRECT_DESC | EVENT_IDX
            supported |= _ANY_LAYOUT if transport.version == 1 else VERSION_1 | _PLATFORM
            self._negotiate(supported)
            for index, size in enumerate(queues):
                limit = transport.queue_size_max(index)
                if limit == 0:
                    raise OSError(
                        errno.ENODEV, "device at %#x has no queue %d" % (transport.base, index)
                    )
                while size > limit:
                    size >>= 1
                rings[index] = Queue(transport, index, size, self.features, self.fail)
            self.queues = tuple(rings)
            if watched is not None:
                self._watched = self.queues[watched]
            self._interrupts()
            if not _live:
                virt.at_reset(_quiet_all)
            _live.append(self)
        except BaseException:  # Ctrl-C too, and memory that runs out
            virt.irq(transport.irq, None)
            transport.add_status(mmio.FAILED)
            self.queues = ()
            if self in _live:
                _live.remove(self)
            # Without DRIVER_OK the device has not touched the rings (2.1.2).
            for queue in rings:
                if queue:
                    queue.free()
            raise
        transport.add_status(mmio.DRIVER_OK)

    def _negotiate(self, supported):
        t = self.transport
        offered = t.features()
        if t.version != 1 and not offered & VERSION_1:
            raise OSError(
                errno.EOPNOTSUPP, "device at %#x does not offer VIRTIO_F_VERSION_1" % t.base
            )
        self.features = offered & supported
        if not t.accept(self.features):
            raise OSError(
                errno.EOPNOTSUPP,
                "device at %#x offers features %#x and refuses %#x of them"
                % (t.base, offered, self.features),
            )

    def _interrupts(self):
        # The interrupt itself acknowledges the device and wakes who sleeps; then whoever has
        # chains out looks at his used ring. Python runs only for what nobody waits for.
        t = self.transport
        virt.irq(
            t.irq,
            self._interrupt,
            t.interrupt_status_va,
            t.interrupt_ack_va,
            _INT_USED | _INT_CONFIG,
            _INT_USED | _INT_CONFIG if self.listeners else _INT_CONFIG,
            self._watched.used_va + 2 if self._watched else 0,
        )

    def _interrupt(self, source, bits):
        broken = self.error
        if bits & _INT_CONFIG:
            status = self.transport.status()
            if status >> 8:
                self.fail("device at %#x is gone: Status has all bits" % self.transport.base)
            elif status & mmio.NEEDS_RESET:
                self.needs_reset()
            else:
                self.config_changed()
        if self._watched:
            self._watched.reap()
        for listener in self.listeners:
            listener()
        if broken:
            virt.irq(self.transport.irq, None)  # nobody waits for it, and it may be for ever

    def needs_reset(self):
        """The device has met an error and wants to be reset (2.1.2). Drivers may override this."""
        self.fail("device at %#x needs a reset" % self.transport.base)

    def config_changed(self):
        """The configuration space has changed. Drivers that use it again override this."""

    def listen(self, listener, on=True):
        """Call listener() soon after every interrupt of the device, or no longer.

        It runs as a scheduled function and must not raise: that would end all interrupts.
        """
        with virt.lock:
            others = tuple(each for each in self.listeners if each != listener)
            self.listeners = others + (listener,) if on else others
            self._interrupts()

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
            virt.wait(left)
            if left <= 0:  # whatever still interrupts
                return done()
        return True

    def release(self, region):
        """Give one of `orphans` back to the arena: the device has returned it."""
        with virt.lock:
            if region in self.orphans:  # else a reset was first
                self.orphans.remove(region)
                dma.free(region)

    def returned(self, queue, head, ms):
        """Sleep until the device has returned a chain; False after `ms` ms."""
        queue.reap()
        if head not in queue.busy:  # most answer before the kick is done
            return True

        def done():
            queue.reap()
            return head not in queue.busy

        return self.wait(done, ms)

    def request(self, queue, head, ms):
        """Submit a chain and sleep until the device has returned it; False after `ms` ms."""
        if virt.load16(queue.used_va, 2) != queue.taken:
            queue.reap()  # what nobody waits for is not taken for the answer
            self.check()
        queue.submit(head)
        return self.returned(queue, head, ms)

    def quiet(self):
        """Stop whatever the device does on its own. Drivers that start something override it."""
        self.close()

    def close(self):
        """Reset the device and return its rings to the arena.

        OSError(ETIMEDOUT) if it does not say that it was reset. Then its memory is kept until
        another Device at the same place was: what it wrote meanwhile is nobody's.
        """
        t = self.transport
        with virt.lock:  # Ctrl-C comes before all of it or after it, or while the reset is awaited
            if self in _live:
                _live.remove(self)
            virt.irq(t.irq, None)
            try:
                self.error = "device at %#x is closed" % t.base
            except MemoryError:  # it is closed all the same: nothing else here needs memory
                self.error = "the device is closed"
            queues, self.queues = self.queues, ()
            regions = self.orphans
            try:
                t.reset()
            except BaseException:
                regions += [queue.region for queue in queues]
                _quarantine[t.base] = _quarantine.get(t.base, []) + regions
                regions.clear()
                raise
            for queue in queues:
                queue.free()
            for region in regions:
                dma.free(region)
            regions.clear()
