# SPDX-License-Identifier: MIT
"""The rules that a driver must keep, and what happens when it breaks one.

They have the names of the checklist that the project keeps of VirtIO 1.4: G status, F features,
C configuration, I initialisation, R queue reset, Q split queues, M registers, S sound, P packed
queues, L legacy. What that list does not name has the number of its section.
"""

from collections import namedtuple

breaches = []  # all of them, for those that the driver itself swallowed


class Breach(AssertionError):
    """The driver broke the rule `name`."""

    def __init__(self, name, text):
        super().__init__(f"{name}: {text}")
        self.name = name
        self.traced = False


def rule(kept, name, text):
    """Breach(name, text) unless the rule was kept."""
    if not kept:
        breach = Breach(name, text)
        breaches.append(breach)
        raise breach


# Levels: M must, MN must not, S should, SN should not, body what is not in a list of requirements.
# Where a breach is seen: by the register page; in the rings; in the messages; by any transport,
# which has to call SoundDevice.accept(). Everything else is a reason why it is not.
MMIO, RING, SOUND, ANY = "mmio", "ring", "sound", "any transport"

INSIDE = "only the driver knows"
NO_BARRIERS = "the device sees memory, not the order in which it was written"
NOT_OFFERED = "a driver that accepts the feature finds FEATURES_OK refused"
MAY_DECLINE = "declining is legal: SoundDevice.accepted has the features"
WAITS = "nothing comes, and the driver has to give up: Sound.script, SoundDevice.used"


class Rule(namedtuple("Rule", "id level text section where")):
    """A driver's rule; `where` is one of MMIO, RING, SOUND, ANY, or says why it is not seen."""

    @property
    def seen(self):
        return self.where in (MMIO, RING, SOUND, ANY)


_TABLE = (
    ("G-01", "M", "Status bits are set one by one, in the order of the steps", "2.1.1", MMIO),
    ("G-02", "MN", "no Status bit is cleared but by a reset", "2.1.1", MMIO),
    ("G-03", "M", "after FAILED comes a reset", "2.1.1", MMIO),
    ("G-04", "SN", "nothing is awaited from a device that needs a reset", "2.1.1", WAITS),
    ("G-05", "S", "a reset is over when Status reads 0", "2.4.2", MMIO),
    ("F-01", "MN", "no feature is accepted that was not offered", "2.2.1", ANY),
    ("F-02", "MN", "no feature is accepted without those it needs", "2.2.1",
     "no feature of this device needs another"),
    ("F-03", "M", "the offered bits are checked", "2.2.1", INSIDE),
    ("F-04", "M", "bits that are unknown or not for this device are never accepted", "2.2.1", ANY),
    ("F-05", "S", "without a feature the driver does with less, or sets FAILED", "2.2.1",
     "offer less: SoundDevice(features=...)"),
    ("F-06", "MN", "an unknown offered bit is no reason to fail", "2.2.1",
     "offer all bits: SoundDevice(features=...)"),
    ("F-07", "M", "VERSION_1 is accepted when offered", "6.1", ANY),
    ("F-08", "S", "ACCESS_PLATFORM is accepted when offered", "6.1", MAY_DECLINE),
    ("F-09", "M", "without ACCESS_PLATFORM addresses are physical ones", "6.1", RING),
    ("F-10", "S", "RING_PACKED is accepted when offered", "6.1", MAY_DECLINE),
    ("F-11", "S", "ORDER_PLATFORM is accepted when offered", "6.1", MAY_DECLINE),
    ("F-12", "S", "NOTIF_CONFIG_DATA is accepted when offered", "6.1",
     "this transport cannot deliver the data: F-04 forbids it"),
    ("F-13", "MN", "SR_IOV is for PCI alone", "6.1", ANY),
    ("F-14", "MN", "ADMIN_VQ is not for this transport", "4.2.5", ANY),
    ("C-01", "MN", "several fields of the configuration are not read at once", "2.5.1",
     "the driver holds old and new together: MmioTransport.force"),
    ("C-02", "S", "configuration is read between two equal ConfigGeneration", "2.5.1", MMIO),
    ("C-03", "M", "optional fields are read only with their feature", "2.5.1",
     "S-01 is the only case, and stricter"),
    ("C-04", "MN", "a configuration may be longer than what is known of it", "2.5.1",
     "have a longer one: SoundDevice.config"),
    ("I-01", "M", "initialisation takes its steps in order", "3.1.1", MMIO),
    ("I-02", "MN", "no configuration is written during negotiation", "3.1.1",
     "all of it is read-only: M-02"),
    ("I-03", "MN", "features stay as they are after FEATURES_OK", "3.1.1", MMIO),
    ("I-04", "M", "FEATURES_OK is read back", "3.1.1", MMIO),
    ("I-05", "S", "FAILED is set when the driver gives up", "3.1.1",
     "a reset may take its place: MmioTransport.status"),
    ("I-06", "MN", "initialisation does not go on without FEATURES_OK", "3.1.1", MMIO),
    ("I-07", "MN", "no kick before DRIVER_OK", "3.1.1", MMIO),
    ("I-08", "MN", "what the device has is not changed", "3.3.1", RING),
    ("I-09", "M", "buffers are taken back after a reset only", "3.3.1",
     "memory that is only used again is not seen; if it changes, that is I-08"),
    ("I-10", "SN", "SUSPEND is set only if negotiated, and after DRIVER_OK", "3.4.1", MMIO),
    ("I-11", "M", "SUSPEND is read back", "3.4.1", NOT_OFFERED),
    ("I-12", "MN", "a suspended device gets nothing", "3.4.1", NOT_OFFERED),
    ("I-13", "M", "after resuming the driver waits for DRIVER_OK", "3.4.1", NOT_OFFERED),
    ("R-01", "M", "that a queue reset is over is made sure", "2.6.1.1.2", "the same as M-15"),
    ("R-02", "M", "a queue that was reset is set up anew", "2.6.1.2.2", MMIO),
    ("Q-01", "M", "the parts of a queue are aligned to 16, 2 and 4 bytes", "2.7.1", RING),
    ("Q-02", "M", "in a chain what is read comes before what is written", "2.7.4.2", RING),
    ("Q-03", "SN", "no more descriptors than a chain needs", "2.7.4.2", RING),
    ("Q-04", "MN", "a chain has no loop, and 2^32 bytes at most", "2.7.5.2", RING),
    ("Q-05", "M", "with IN_ORDER descriptors follow each other", "2.7.5.2", NOT_OFFERED),
    ("Q-06", "MN", "INDIRECT needs INDIRECT_DESC", "2.7.5.3.1", RING),
    ("Q-07", "MN", "no INDIRECT in an indirect table", "2.7.5.3.1", RING),
    ("Q-08", "MN", "a chain is not longer than the queue", "2.7.5.3.1", RING),
    ("Q-09", "MN", "INDIRECT and NEXT exclude each other", "2.7.5.3.1", RING),
    ("Q-10", "M", "with IN_ORDER an indirect table is in order", "2.7.5.3.1", NOT_OFFERED),
    ("Q-11", "MN", "the index of the available ring does not go back", "2.7.6.1", RING),
    ("Q-12", "M", "without EVENT_IDX the available ring's flags are 0 or 1", "2.7.7.1", RING),
    ("Q-13", "M", "with EVENT_IDX the available ring's flags are 0", "2.7.7.1", RING),
    ("Q-14", "M", "an interrupt for nothing does no harm", "2.7.7.1",
     "send some: MmioTransport.interrupt()"),
    ("Q-15", "MN", "what lies behind the written length means nothing", "2.7.8.3", INSIDE),
    ("Q-16", "M", "the used ring's flags are 0 at first", "2.7.10.1", RING),
    ("Q-17", "M", "without EVENT_IDX avail_event is ignored", "2.7.10.1",
     "nonsense stands there (poison): kicks go missing, which is Q-18"),
    ("Q-18", "M", "without EVENT_IDX a kick comes unless the flag forbids it", "2.7.10.1", RING),
    ("Q-19", "M", "with EVENT_IDX the used ring's flags are ignored", "2.7.10.1",
     "nonsense stands there (poison): kicks go missing, which is Q-20"),
    ("Q-20", "M", "with EVENT_IDX a kick comes when avail_event is passed", "2.7.10.1", RING),
    ("Q-21", "M", "a barrier before the available ring's index", "2.7.13.3.1", NO_BARRIERS),
    ("Q-22", "M", "a barrier before it is read whether to kick", "2.7.13.4.1", NO_BARRIERS),
    ("M-01", "MN", "nothing but registers and configuration is accessed", "4.2.2.2", MMIO),
    ("M-02", "MN", "registers are read or written as they allow", "4.2.2.2", MMIO),
    ("M-03", "M", "registers are accessed as aligned 32 bits", "4.2.2.2", MMIO),
    ("M-04", "M", "configuration is accessed field by field", "4.2.2.2", MMIO),
    ("M-05", "M", "a wrong MagicValue is no device", "4.2.2.2", MMIO),
    ("M-06", "M", "a Version that is not known is left alone", "4.2.2.2", MMIO),
    ("M-07", "M", "DeviceID 0 is left alone, and no error", "4.2.2.2", INSIDE),
    ("M-08", "M", "DeviceFeaturesSel before each DeviceFeatures", "4.2.2.2", MMIO),
    ("M-09", "M", "DriverFeaturesSel before each DriverFeatures", "4.2.2.2", MMIO),
    ("M-10", "M", "QueueSize is QueueSizeMax at most", "4.2.2.2", MMIO),
    ("M-11", "MN", "a queue that is ready keeps its size and addresses", "4.2.2.2", MMIO),
    ("M-12", "M", "after QueueReady is cleared it is read back", "4.2.2.2", MMIO),
    ("M-13", "M", "undefined bits of InterruptStatus are ignored", "4.2.2.2",
     "unless they are acknowledged, which is M-14"),
    ("M-14", "M", "what is acknowledged was pending, and is defined", "4.2.2.2", MMIO),
    ("M-15", "MN", "a queue reset is not over before QueueReset reads 0", "4.2.2.2", MMIO),
    ("M-16", "M", "MagicValue and Version come first", "4.2.3.1.1", MMIO),
    ("M-17", "M", "then DeviceID; if it is 0, nothing more", "4.2.3.1.1", MMIO),
    ("M-18", "MN", "registers of shared memory are left alone", "4.2.3.1.1", MMIO),
    ("M-19", "M", "then the general initialisation", "4.2.3.1.1", "that is I-01"),
    ("M-20", "M", "InterruptStatus is read after an interrupt", "4.2.3.4.1", MMIO),
    ("M-21", "S", "an interrupt is for every queue", "4.2.3.4.1", INSIDE),
    ("M-22", "M", "what was handled is acknowledged", "4.2.3.4.1",
     "a driver may poll: MmioTransport.interrupt_status"),
    ("S-01", "MN", "`controls` is not read without CTLS", "5.14.5.1", MMIO),
    ("S-02", "M", "the event queue has buffers of at least 8 bytes", "5.14.5.1", SOUND),
    ("S-03", "MN", "no readable buffers on the event queue", "5.14.5.1", SOUND),
    ("S-04", "MN", "a query stays within the number of items", "5.14.6.2", SOUND),
    ("S-05", "M", "a query has room for its whole answer", "5.14.6.2", SOUND),
    ("S-06", "M", "a buffer is a whole number of periods", "5.14.6.6.3.2", SOUND),
    ("S-07", "MN", "no undefined feature, format or rate", "5.14.6.6.3.2", SOUND),
    ("S-08", "MN", "no feature, format or rate that the stream has not", "5.14.6.6.3.2", SOUND),
    ("S-09", "MN", "no number of channels that the stream has not", "5.14.6.6.3.2", SOUND),
    ("S-10", "MN", "SHMEM_HOST and SHMEM_GUEST exclude each other", "5.14.6.6.3.2", SOUND),
    ("S-11", "M", "padding is 0", "5.14.6.6.3.2", SOUND),
    ("S-12", "M", "without shared memory samples go through queues", "5.14.6.6.3.2",
     "there is no other way"),
    ("S-13", "MN", "shared memory is not selected at all", "5.14.6.6.3", SOUND),
    ("S-14", "S", "buffers to play are one period, but for the last", "5.14.6.8.1.2", SOUND),
    ("S-15", "MN", "no writable samples on the tx queue", "5.14.6.8.1.2", SOUND),
    ("S-16", "S", "buffers of one period wait before an input starts", "5.14.6.8.2.2", SOUND),
    ("S-17", "MN", "no readable samples on the rx queue", "5.14.6.8.2.2", SOUND),
    ("S-18", "MN", "CTL_READ needs READ", "5.14.6.10.2.1", SOUND),
    ("S-19", "MN", "CTL_WRITE needs WRITE", "5.14.6.10.2.1", SOUND),
    ("S-20", "MN", "CTL_TLV_READ needs TLV_READ", "5.14.6.10.3.2", SOUND),
    ("S-21", "MN", "CTL_TLV_WRITE needs TLV_WRITE", "5.14.6.10.3.2", SOUND),
    ("S-22", "MN", "CTL_TLV_COMMAND needs TLV_COMMAND", "5.14.6.10.3.2", SOUND),
    ("S-23", "MN", "a TLV value has 65536 bytes at most", "5.14.6.10.3.2", SOUND),
    ("S-30", "body", "commands follow each other as the life cycle allows", "5.14.6.6.1", SOUND),
    ("S-31", "body", "every id is one of an item that there is", "5.14.6", SOUND),
    ("S-32", "body", "requests about controls need CTLS", "5.14.6.10", SOUND),
    ("S-33", "body", "JACK_REMAP needs REMAP", "5.14.6.4.2", SOUND),
    ("S-34", "body", "events of a stream are awaited only if selected", "5.14.6.7",
     "send none: the driver has to do without"),
    ("S-35", "body", "no kicks for streams that selected MSG_POLLING", "5.14.6.6.3", SOUND),
    ("S-36", "body", "a message is a header, samples, and a status", "5.14.6.8", SOUND),
    ("S-37", "body", "buffers come between PREPARE and RELEASE", "5.14.6.6.1", SOUND),
    *(
        (f"P-{number:02}", level, text, "2.8", NOT_OFFERED)
        for number, level, text in (
            (1, "M", "a packed ring is aligned to 16, its events to 4 bytes"),
            (2, "MN", "a descriptor is not changed while it is the device's"),
            (3, "M", "a kick with data names the next free descriptor"),
            (4, "MN", "a list is not longer than the queue"),
            (5, "M", "what is read comes before what is written"),
            (6, "M", "there is room for a list before it begins"),
            (7, "MN", "the first descriptor is made available last"),
            (8, "MN", "INDIRECT needs INDIRECT_DESC, and stands alone"),
            (9, "M", "barriers before flags and before the device's wish"),
        )
    ),
    ("L-01", "M", "without VERSION_1 the device is a legacy one", "2.2.3", INSIDE),
    ("L-02", "M", "a queue has the size that the device says", "2.7.2",
     "these registers let it be smaller, which is M-10"),
    ("L-03", "M", "the parts of a queue follow each other", "2.7.2",
     "only the beginning is told; elsewhere the device finds no rings"),
    ("L-04", "M", "rings are in the guest's byte order", "2.7.3", "here that is little-endian"),
    ("L-05", "M", "there is no FEATURES_OK", "3.1.2", MMIO),
    ("L-06", "S", "configuration is read until it is twice the same", "2.5.4", INSIDE),
    ("L-07", "M", "ANY_LAYOUT is accepted when offered, bit 30 never", "6.3", MMIO),
)

RULES = {entry[0]: Rule(*entry) for entry in _TABLE}
