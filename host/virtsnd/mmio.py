# SPDX-License-Identifier: MIT
"""The register page of a virtio-mmio device (VirtIO 1.3, 4.2.2), with all its prohibitions."""

from .rules import rule

MAGIC = 0x74726976

REGISTERS = {
    0x000: ("MagicValue", "R"),
    0x004: ("Version", "R"),
    0x008: ("DeviceID", "R"),
    0x00C: ("VendorID", "R"),
    0x010: ("DeviceFeatures", "R"),
    0x014: ("DeviceFeaturesSel", "W"),
    0x020: ("DriverFeatures", "W"),
    0x024: ("DriverFeaturesSel", "W"),
    0x030: ("QueueSel", "W"),
    0x034: ("QueueSizeMax", "R"),
    0x038: ("QueueSize", "W"),
    0x044: ("QueueReady", "RW"),
    0x050: ("QueueNotify", "W"),
    0x060: ("InterruptStatus", "R"),
    0x064: ("InterruptACK", "W"),
    0x070: ("Status", "RW"),
    0x080: ("QueueDescLow", "W"),
    0x084: ("QueueDescHigh", "W"),
    0x090: ("QueueDriverLow", "W"),
    0x094: ("QueueDriverHigh", "W"),
    0x0A0: ("QueueDeviceLow", "W"),
    0x0A4: ("QueueDeviceHigh", "W"),
    0x0FC: ("ConfigGeneration", "R"),
}
ADDRESSES = [name for name, _ in REGISTERS.values() if name.endswith(("Low", "High"))]
CONFIG = 0x100

ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, NEEDS_RESET, FAILED = 1, 2, 4, 8, 64, 128
ORDER = (0, 1, 3, 0xB, 0xF)  # what Status goes through

USED, CONFIG_CHANGED = 1, 2

CTLS, VERSION_1 = 1 << 0, 1 << 32
# Feature bits that a driver of a sound device on this transport may know at all.
KNOWN = sum(1 << bit for bit in (0, 28, 29, 32, 33, 34, 35, 36, 38, 40, 43))


class Queue:
    def __init__(self):
        self.size = 0
        self.ready = 0
        self.asked = False  # QueueReady was read
        self.registers = {}

    def address(self, part):
        low, high = (self.registers.get(f"Queue{part}{half}") for half in ("Low", "High"))
        rule(low is not None and high is not None, "4.2.3.2", f"address of {part} not written")
        return high << 32 | low


class MmioTransport:
    """The page of `device`; `raised(level)` is called when its interrupt line may have changed.

    `trace` lists the accesses as ("R" or "W", name, value). `force` makes registers lie: a
    function by name that turns the value read into another.
    """

    SIZE = 0x200

    def __init__(self, device, raised=lambda level: None):
        self.device = device
        self.raised = raised
        self.trace = []
        self.force = {}
        self.interrupt_status = 0
        self.generation = 0
        self._identity = set()  # registers that were read to find out what is here
        self._only = None  # (rule, names): nothing else may be touched
        self._next = None  # (rule, access, name): this has to come next
        device.notify = lambda: self.interrupt(USED)
        self._reset()

    def _reset(self):
        self.device.reset()
        self.status = 0
        self.interrupt_status = 0
        self.queues = {i: Queue() for i in range(len(self.device.queue_max))}
        self.queue_sel = 0
        self.sel = {"DeviceFeatures": None, "DriverFeatures": None}
        self.features = {0: 0, 1: 0}
        if self._only and self._only[0] == "I-06":
            self._only = None

    def interrupt(self, bits):
        """Set bits of InterruptStatus."""
        self.interrupt_status |= bits
        self.raised(self.interrupt_status != 0)

    def need_reset(self):
        """The device is beyond help (2.1.2)."""
        self.status |= NEEDS_RESET
        self.interrupt(CONFIG_CHANGED)

    @property
    def queue(self):
        rule(self.queue_sel in self.queues, "4.2.2", f"queue {self.queue_sel} does not exist")
        return self.queues[self.queue_sel]

    # Every access

    def read(self, offset, n):
        if offset >= CONFIG:
            return self._read_config(offset - CONFIG, n)
        name = self._check(offset, n, "R")
        value = getattr(self, "_read_" + name.lower())()
        if name in self.force:
            value = self.force[name](value)
        self._after_read(name, value)
        self.trace.append(("R", name, value))
        return value

    def write(self, offset, n, value):
        rule(offset < CONFIG, "M-02", "write to the configuration space, which is read-only")
        name = self._check(offset, n, "W")
        self.trace.append(("W", name, value))
        if name in ADDRESSES:
            rule(not self.queue.ready, "M-11", f"{name} of a queue that is ready")
            self.queue.registers[name] = value
        else:
            getattr(self, "_write_" + name.lower())(value)

    def _check(self, offset, n, access):
        rule(n == 4 and offset % 4 == 0, "M-03", f"{n} bytes at offset {offset:#x}")
        rule(not 0xAC <= offset <= 0xBC, "M-18", f"shared memory register {offset:#x}")
        rule(offset in REGISTERS, "M-01", f"offset {offset:#x} is no register")
        name, directions = REGISTERS[offset]
        rule(access in directions, "M-02", f"{access} access to {name}")
        self._in_order(access, name)
        return name

    def _in_order(self, access, name):
        if self._next:
            breach, *wanted = self._next
            rule([access, name] == wanted, breach, f"{access} {name} before {' '.join(wanted)}")
            if breach != "G-05":
                self._next = None
        if self._only:
            breach, names = self._only
            rule(name in names, breach, f"{access} {name} of a device that is of no use")
        if name != "MagicValue":
            rule("MagicValue" in self._identity, "M-16", f"{access} {name} before MagicValue")
        # DeviceID alone may be looked at without Version, to search for a device.
        if name not in ("MagicValue", "Version", "DeviceID"):
            rule("Version" in self._identity, "M-16", f"{access} {name} before Version")
            rule("DeviceID" in self._identity, "M-17", f"{access} {name} before DeviceID")

    def _after_read(self, name, value):
        identity = ("MagicValue", "Version", "DeviceID")
        if name in identity:
            self._identity.add(name)
        if name == "MagicValue" and value != MAGIC:
            self._only = ("M-05", ("MagicValue",))
        elif name == "Version" and value != 2:
            self._only = ("M-06", identity)
        elif name == "DeviceID" and value == 0:
            self._only = ("M-17", identity)
        elif name == "Status":
            if self._next and value == 0:
                self._next = None
            if self._written == FEATURES_OK and not value & FEATURES_OK:
                self._only = ("I-06", ("Status",))

    _written = 0  # the bit that the last write of Status added

    # Who is it?

    def _read_magicvalue(self):
        return MAGIC

    def _read_version(self):
        return 2

    def _read_deviceid(self):
        return self.device.ID

    def _read_vendorid(self):
        return self.device.VENDOR

    # Status

    def _read_status(self):
        return self.status

    def _write_status(self, value):
        if value == 0:
            self._reset()
            self.raised(False)
            self._written = 0
            self._next = ("G-05", "R", "Status")
            return
        rule(not self.status & FAILED, "G-03", f"Status {value:#x} after FAILED")
        rule(value & self.status == self.status, "G-02", f"Status {self.status:#x} -> {value:#x}")
        added = value & ~self.status
        if added != FAILED:
            old = self.status & 0xF
            rule(
                value & 0xF in ORDER and ORDER.index(value & 0xF) == ORDER.index(old) + 1
                and added == value & 0xF & ~old,
                "G-01",
                f"Status {self.status:#x} -> {value:#x}",
            )
        if added == FEATURES_OK and self.device.refuse_features:
            value &= ~FEATURES_OK
        self.status = value
        self._written = added
        if added == FEATURES_OK:
            self._check_features()
            self._next = ("I-04", "R", "Status")
        elif added == DRIVER_OK:
            self.device.start()

    # Features

    def _select(self, register, value):
        rule(value in (0, 1), "4.2.2", f"{register}Sel {value}")
        self.sel[register] = value

    def _selected(self, register, breach):
        value, self.sel[register] = self.sel[register], None
        rule(value is not None, breach, f"{register} without {register}Sel")
        return value

    def _write_devicefeaturessel(self, value):
        self._select("DeviceFeatures", value)

    def _read_devicefeatures(self):
        sel = self._selected("DeviceFeatures", "M-08")
        return self.device.features >> 32 * sel & 0xFFFFFFFF

    def _write_driverfeaturessel(self, value):
        self._select("DriverFeatures", value)

    def _write_driverfeatures(self, value):
        rule(not self.status & FEATURES_OK, "I-03", "DriverFeatures after FEATURES_OK")
        early = self.status != ACKNOWLEDGE | DRIVER
        rule(not early, "I-01", f"DriverFeatures in Status {self.status:#x}")
        self.features[self._selected("DriverFeatures", "M-09")] = value

    def _check_features(self):
        accepted = self.features[1] << 32 | self.features[0]
        offered = self.device.features
        rule(not accepted & ~offered, "F-01", f"{accepted & ~offered:#x} was not offered")
        rule(not accepted & ~KNOWN, "F-04", f"{accepted & ~KNOWN:#x} is not for this device")
        rule(accepted & VERSION_1 or not offered & VERSION_1, "F-07", "VERSION_1 not accepted")
        self.device.accepted = accepted

    # Queues

    def _write_queuesel(self, value):
        self.queue_sel = value

    def _read_queuesizemax(self):
        return self.device.queue_max[self.queue_sel] if self.queue_sel in self.queues else 0

    def _write_queuesize(self, value):
        limit = self._read_queuesizemax()
        rule(not self.queue.ready, "M-11", "QueueSize of a queue that is ready")
        rule(0 < value <= limit, "M-10", f"QueueSize {value}, at most {limit}")
        self.queue.size = value

    def _read_queueready(self):
        if self.queue_sel not in self.queues:
            return 0
        self.queue.asked = True
        return self.queue.ready

    def _write_queueready(self, value):
        queue = self.queue
        rule(value in (0, 1), "4.2.2", f"QueueReady {value}")
        if value:
            rule(self.status == 0xB, "I-01", f"queue set up in Status {self.status:#x}")
            rule(queue.asked, "4.2.3.2", "QueueReady not read before the queue is set up")
            rule(queue.size, "4.2.3.2", "QueueSize not written")
            self.device.add_queue(
                self.queue_sel, queue.size,
                *(queue.address(part) for part in ("Desc", "Driver", "Device")),
            )
        else:
            self.device.rings.pop(self.queue_sel, None)
            self._next = ("M-12", "R", "QueueReady")
        queue.ready = value

    def _write_queuenotify(self, value):
        rule(self.status & DRIVER_OK, "I-07", "kick before DRIVER_OK")
        self.device.kick(value)

    # Interrupts

    def _read_interruptstatus(self):
        return self.interrupt_status

    def _write_interruptack(self, value):
        rule(not value & ~3, "M-14", f"InterruptACK {value:#x}")
        rule(not value & ~self.interrupt_status, "M-14", f"InterruptACK {value:#x}: not pending")
        self.interrupt_status &= ~value
        self.raised(self.interrupt_status != 0)

    # Configuration

    def _read_configgeneration(self):
        return self.generation

    def _read_config(self, offset, n):
        config = self.device.config()
        rule(offset != 12 or self.device.accepted & CTLS, "S-01", "`controls` without CTLS")
        rule(offset + n <= len(config), "M-01", f"configuration byte {offset} of {len(config)}")
        rule(n == 4 and offset % 4 == 0, "M-04", f"{n} bytes of configuration at {offset}")
        self._in_order("R", "Config")
        value = int.from_bytes(config[offset : offset + n], "little")
        self.trace.append(("R", "Config", value))
        return value
