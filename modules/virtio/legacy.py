# SPDX-License-Identifier: MIT
"""The legacy interface of virtio-mmio, Version 1: what differs from Version 2 (VirtIO 1.3, 4.2.4).

    features        bits 0 to 31 only; nothing says FEATURES_OK (3.1.2)
    queues          one block each, given as the number of the page it begins at (2.7.2)
    configuration   no ConfigGeneration: read until two reads agree (2.5.4)

Rings and configuration have the processor's byte order (2.7.3, 2.5.3): on RISC-V little-endian, as
in Version 2, so nothing is swapped.
"""

import errno
from machine import mem32
from micropython import const
import virt
from .mmio import MMIO

_DEVICE_FEATURES = const(0x010)
_DEVICE_FEATURES_SEL = const(0x014)
_DRIVER_FEATURES = const(0x020)
_DRIVER_FEATURES_SEL = const(0x024)
_GUEST_PAGE_SIZE = const(0x028)
_QUEUE_SEL = const(0x030)
_QUEUE_SIZE_MAX = const(0x034)
_QUEUE_SIZE = const(0x038)
_QUEUE_ALIGN = const(0x03C)
_QUEUE_PFN = const(0x040)
_CONFIG = const(0x100)

_PAGE_SIZE = const(4096)


class LegacyMMIO(MMIO):
    """As MMIO, for a device whose Version is 1. Such a device cannot offer VERSION_1."""

    def reset(self):
        """Reset the device and tell it the page size. OSError(ETIMEDOUT)."""
        super().reset()
        mem32[self.base + _GUEST_PAGE_SIZE] = _PAGE_SIZE

    def features(self):
        """The feature bits that the device offers: 32 of them."""
        mem32[self.base + _DEVICE_FEATURES_SEL] = 0
        return virt.load32(self.base, _DEVICE_FEATURES)

    def accept(self, features):
        """Tell the device which features the driver uses. True: it has no way to refuse."""
        mem32[self.base + _DRIVER_FEATURES_SEL] = 0
        mem32[self.base + _DRIVER_FEATURES] = features
        return True

    def queue_size_max(self, index):
        """Largest size of queue `index` that the device takes; 0 if it has no such queue."""
        base = self.base
        mem32[base + _QUEUE_SEL] = index
        if mem32[base + _QUEUE_PFN] != 0:
            raise OSError(errno.EINVAL, "queue %d of the device at %#x is in use" % (index, base))
        return mem32[base + _QUEUE_SIZE_MAX]

    def set_queue(self, index, size, desc, driver, device):
        """Give queue `index` its size and the address of its first part; 2.7.2 says where the
        other two are. OSError(ENOMEM) if the number of the page has more than 32 bits.
        """
        base = self.base
        page = desc // _PAGE_SIZE
        if not 0 < page <= 0xFFFFFFFF:
            raise OSError(
                errno.ENOMEM,
                "queue %d lies at %#x: a legacy device reaches 0x1000 to 0xfffffffffff"
                % (index, desc),
            )
        mem32[base + _QUEUE_SEL] = index
        mem32[base + _QUEUE_SIZE] = size
        mem32[base + _QUEUE_ALIGN] = _PAGE_SIZE
        mem32[base + _QUEUE_PFN] = page

    def config(self, offset, count):
        """Return `count` 32-bit fields of the configuration space from byte `offset`, as a tuple.

        OSError(EAGAIN) if no two reads in a row agree.
        """
        base = self.base
        at = base + _CONFIG + offset
        before = None
        for _ in range(16):
            fields = tuple(virt.load32(at, 4 * i) for i in range(count))
            if fields == before:
                return fields
            before = fields
        raise OSError(errno.EAGAIN, "device at %#x: configuration changes with every read" % base)
