# SPDX-License-Identifier: MIT
"""The virtio-mmio transport: every access to a device's registers is here and in legacy.

Names and offsets are those of VirtIO 1.3, 4.2.2. Status bits: 2.1. What may have its highest bit
set is read with virt.load32(), because machine.mem32 is signed where ints have 32 bits.
"""

import errno
from machine import mem32
from micropython import const
from time import ticks_ms, ticks_diff, sleep_ms
import virt

_MAGIC_VALUE = const(0x000)
_VERSION = const(0x004)
_DEVICE_ID = const(0x008)
_VENDOR_ID = const(0x00C)
_DEVICE_FEATURES = const(0x010)
_DEVICE_FEATURES_SEL = const(0x014)
_DRIVER_FEATURES = const(0x020)
_DRIVER_FEATURES_SEL = const(0x024)
_QUEUE_SEL = const(0x030)
_QUEUE_SIZE_MAX = const(0x034)
_QUEUE_SIZE = const(0x038)
_QUEUE_READY = const(0x044)
_QUEUE_NOTIFY = const(0x050)
_INTERRUPT_STATUS = const(0x060)
_INTERRUPT_ACK = const(0x064)
_STATUS = const(0x070)
_QUEUE_DESC = const(0x080)
_QUEUE_DRIVER = const(0x090)
_QUEUE_DEVICE = const(0x0A0)
_CONFIG_GENERATION = const(0x0FC)
_CONFIG = const(0x100)

_MAGIC = const(0x74726976)  # "virt"

ACKNOWLEDGE = const(1)
DRIVER = const(2)
DRIVER_OK = const(4)
FEATURES_OK = const(8)
NEEDS_RESET = const(64)
FAILED = const(128)

_RESET_MS = const(1000)


def slots():
    """Yield (base address, interrupt source) of every virtio-mmio slot of the board.

    QEMU fills them from the last one down, so this is the order of its -device options.
    """
    for i in range(virt.VIRTIO_SLOTS - 1, -1, -1):
        yield virt.VIRTIO_BASE + i * virt.VIRTIO_STRIDE, virt.VIRTIO_IRQ + i


def identify(base):
    """Return the device id behind the register page at `base`; 0 if there is no device.

    Magic and version are looked at first (4.2.3.1.1); a version of the future is no device.
    """
    if mem32[base + _MAGIC_VALUE] != _MAGIC or mem32[base + _VERSION] not in (1, 2):
        return 0
    return mem32[base + _DEVICE_ID]


def transport(base, irq):
    """Return the transport for the device at `base`: MMIO, or LegacyMMIO if its Version is 1.

    Arguments and errors as MMIO.
    """
    t = MMIO(base, irq)
    if t.version == 1:
        from .legacy import LegacyMMIO  # only now: most boards never need it

        t = LegacyMMIO(base, irq)
    return t


class MMIO:
    """The registers of the device at `base`, whose interrupt is PLIC source `irq`.

    transport() makes the object that suits the device. OSError(ENODEV) if there is no virtio
    device, or one that this driver cannot use.
    """

    def __init__(self, base, irq):
        self.base = base
        self.irq = irq
        # 4.2.3.1.1: magic and version first, then the device id, then nothing if it is 0.
        if mem32[base + _MAGIC_VALUE] != _MAGIC:
            raise OSError(errno.ENODEV, "no virtio-mmio register page at %#x" % base)
        self.version = mem32[base + _VERSION]
        self.device_id = mem32[base + _DEVICE_ID]
        if self.device_id == 0:
            raise OSError(errno.ENODEV, "virtio-mmio slot at %#x is empty" % base)
        if self.version not in (1, 2):
            raise OSError(
                errno.ENODEV,
                "virtio-mmio device at %#x has Version %d, not 1 or 2" % (base, self.version),
            )
        self.vendor_id = virt.load32(base, _VENDOR_ID)
        self.notify_va = base + _QUEUE_NOTIFY  # a queue index stored here is the kick
        self.interrupt_status_va = base + _INTERRUPT_STATUS
        self.interrupt_ack_va = base + _INTERRUPT_ACK

    def status(self):
        """The device status byte (2.1)."""
        return mem32[self.base + _STATUS]

    def add_status(self, bit):
        """Set a status bit; no bit is ever cleared but by reset()."""
        mem32[self.base + _STATUS] = mem32[self.base + _STATUS] | bit

    def reset(self):
        """Reset the device and wait until it says that it has (2.4.2). OSError(ETIMEDOUT)."""
        mem32[self.base + _STATUS] = 0
        start = ticks_ms()
        while mem32[self.base + _STATUS] != 0:
            if ticks_diff(ticks_ms(), start) > _RESET_MS:
                raise OSError(
                    errno.ETIMEDOUT, "device at %#x: Status is not 0 after reset" % self.base
                )
            sleep_ms(1)

    def features(self):
        """The 64 feature bits that the device offers."""
        base = self.base
        bits = 0
        for sel in (0, 1):
            mem32[base + _DEVICE_FEATURES_SEL] = sel
            bits |= virt.load32(base, _DEVICE_FEATURES) << (32 * sel)
        return bits

    def accept(self, features):
        """Tell the device which features the driver uses; False if it refuses them (2.2.2)."""
        base = self.base
        for sel in (0, 1):
            mem32[base + _DRIVER_FEATURES_SEL] = sel
            mem32[base + _DRIVER_FEATURES] = (features >> (32 * sel)) & 0xFFFFFFFF
        self.add_status(FEATURES_OK)
        return self.status() & FEATURES_OK != 0

    def queue_size_max(self, index):
        """Largest size of queue `index` that the device takes; 0 if it has no such queue."""
        base = self.base
        mem32[base + _QUEUE_SEL] = index
        if mem32[base + _QUEUE_READY] != 0:
            raise OSError(errno.EINVAL, "queue %d of the device at %#x is in use" % (index, base))
        return mem32[base + _QUEUE_SIZE_MAX]

    def set_queue(self, index, size, desc, driver, device):
        """Give queue `index` its size and the device addresses of its three parts."""
        base = self.base
        mem32[base + _QUEUE_SEL] = index
        mem32[base + _QUEUE_SIZE] = size
        mem32[base + _QUEUE_DESC] = desc & 0xFFFFFFFF
        mem32[base + _QUEUE_DESC + 4] = desc >> 32
        mem32[base + _QUEUE_DRIVER] = driver & 0xFFFFFFFF
        mem32[base + _QUEUE_DRIVER + 4] = driver >> 32
        mem32[base + _QUEUE_DEVICE] = device & 0xFFFFFFFF
        mem32[base + _QUEUE_DEVICE + 4] = device >> 32
        mem32[base + _QUEUE_READY] = 1

    def config(self, offset, count):
        """Return `count` 32-bit fields of the configuration space from byte `offset`, as a tuple.

        Read until ConfigGeneration stands still (2.5.1). OSError(EAGAIN) if it never does.
        """
        base = self.base
        at = base + _CONFIG + offset
        for _ in range(16):
            generation = mem32[base + _CONFIG_GENERATION]
            fields = tuple(virt.load32(at, 4 * i) for i in range(count))
            if mem32[base + _CONFIG_GENERATION] == generation:
                return fields
        raise OSError(errno.EAGAIN, "device at %#x: configuration changes with every read" % base)
