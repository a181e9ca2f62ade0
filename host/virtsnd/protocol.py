# SPDX-License-Identifier: MIT
"""Numbers and names of the sound device (VirtIO 1.4, 5.14). Everything is little-endian.

A name's place in a tuple is its number on the wire, and the number of its bit where there is a
mask of them.
"""

CONTROLQ, EVENTQ, TXQ, RXQ = range(4)
QUEUES = ("control", "event", "tx", "rx")

# Feature bits: of the sound device (5.14.3), and those of chapter 6 that have a use here.
CTLS = 1 << 0
NOTIFY_ON_EMPTY = 1 << 24
ANY_LAYOUT = 1 << 27
INDIRECT_DESC = 1 << 28
EVENT_IDX = 1 << 29
VERSION_1 = 1 << 32
ACCESS_PLATFORM = 1 << 33
RING_PACKED = 1 << 34
IN_ORDER = 1 << 35
ORDER_PLATFORM = 1 << 36
SR_IOV = 1 << 37
NOTIFICATION_DATA = 1 << 38
NOTIF_CONFIG_DATA = 1 << 39
RING_RESET = 1 << 40
ADMIN_VQ = 1 << 41
SUSPEND = 1 << 43
FEATURES = {
    0: "CTLS", 24: "NOTIFY_ON_EMPTY", 27: "ANY_LAYOUT", 28: "INDIRECT_DESC", 29: "EVENT_IDX",
    32: "VERSION_1", 33: "ACCESS_PLATFORM", 34: "RING_PACKED", 35: "IN_ORDER",
    36: "ORDER_PLATFORM", 37: "SR_IOV", 38: "NOTIFICATION_DATA", 39: "NOTIF_CONFIG_DATA",
    40: "RING_RESET", 41: "ADMIN_VQ", 43: "SUSPEND",
}

# Requests (5.14.6), without the R_ and, for what every stream has, without the PCM_.
REQUESTS = {
    0x0001: "JACK_INFO",
    0x0002: "JACK_REMAP",
    0x0100: "PCM_INFO",
    0x0101: "SET_PARAMS",
    0x0102: "PREPARE",
    0x0103: "RELEASE",
    0x0104: "START",
    0x0105: "STOP",
    0x0200: "CHMAP_INFO",
    0x0300: "CTL_INFO",
    0x0301: "CTL_ENUM_ITEMS",
    0x0302: "CTL_READ",
    0x0303: "CTL_WRITE",
    0x0304: "CTL_TLV_READ",
    0x0305: "CTL_TLV_WRITE",
    0x0306: "CTL_TLV_COMMAND",
}

JACK_CONNECTED, JACK_DISCONNECTED = 0x1000, 0x1001
PCM_PERIOD_ELAPSED, PCM_XRUN = 0x1100, 0x1101
CTL_NOTIFY = 0x1200
EVENTS = {
    JACK_CONNECTED: "JACK_CONNECTED",
    JACK_DISCONNECTED: "JACK_DISCONNECTED",
    PCM_PERIOD_ELAPSED: "PCM_PERIOD_ELAPSED",
    PCM_XRUN: "PCM_XRUN",
    CTL_NOTIFY: "CTL_NOTIFY",
}

OK, BAD_MSG, NOT_SUPP, IO_ERR = range(0x8000, 0x8004)
STATUSES = {OK: "OK", BAD_MSG: "BAD_MSG", NOT_SUPP: "NOT_SUPP", IO_ERR: "IO_ERR"}

OUTPUT, INPUT = range(2)
DIRECTIONS = ("output", "input")

JACK_F_REMAP = 1 << 0

# Features of a stream (5.14.6.6.2)
PCM_FEATURES = ("SHMEM_HOST", "SHMEM_GUEST", "MSG_POLLING", "EVT_SHMEM_PERIODS", "EVT_XRUNS")
SHMEM_HOST, SHMEM_GUEST, MSG_POLLING, EVT_SHMEM_PERIODS, EVT_XRUNS = (1 << bit for bit in range(5))

FORMATS = (
    "IMA_ADPCM", "MU_LAW", "A_LAW", "S8", "U8", "S16", "U16", "S18_3", "U18_3", "S20_3", "U20_3",
    "S24_3", "U24_3", "S20", "U20", "S24", "U24", "S32", "U32", "FLOAT", "FLOAT64", "DSD_U8",
    "DSD_U16", "DSD_U32", "IEC958_SUBFRAME",
)
# Bytes that a sample takes in memory, by number of the format.
SAMPLE_BYTES = (0.5,) + (1,) * 4 + (2,) * 2 + (3,) * 6 + (4,) * 7 + (8, 1, 2, 4, 4)
# One sample of silence where that is not zero.
SILENCE = {
    "MU_LAW": b"\xff", "A_LAW": b"\xd5", "U8": b"\x80", "U16": b"\0\x80", "U18_3": b"\0\0\2",
    "U20_3": b"\0\0\x08", "U24_3": b"\0\0\x80", "U20": b"\0\0\x08\0", "U24": b"\0\0\x80\0",
    "U32": b"\0\0\0\x80", "DSD_U8": b"\x69", "DSD_U16": b"\x69" * 2, "DSD_U32": b"\x69" * 4,
}

# Hz. Those of 1.4 came at the end.
RATES = (
    5512, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 64000, 88200, 96000, 176400, 192000,
    384000, 12000, 24000,
)

CHMAP_MAX_SIZE = 18
POSITIONS = (
    "NONE", "NA", "MONO", "FL", "FR", "RL", "RR", "FC", "LFE", "SL", "SR", "RC", "FLC", "FRC",
    "RLC", "RRC", "FLW", "FRW", "FLH", "FCH", "FRH", "TC", "TFL", "TFR", "TFC", "TRL", "TRR",
    "TRC", "TFLC", "TFRC", "TSL", "TSR", "LLFE", "RLFE", "BC", "BLC", "BRC",
)

# Control elements (5.14.6.10)
ROLES = ("UNDEFINED", "VOLUME", "MUTE", "GAIN")
TYPES = ("BOOLEAN", "INTEGER", "INTEGER64", "ENUMERATED", "BYTES", "IEC958")
BOOLEAN, INTEGER, INTEGER64, ENUMERATED, BYTES, IEC958 = range(6)
ACCESSES = ("READ", "WRITE", "VOLATILE", "INACTIVE", "TLV_READ", "TLV_WRITE", "TLV_COMMAND")
READ, WRITE, VOLATILE, INACTIVE, TLV_READ, TLV_WRITE, TLV_COMMAND = (1 << bit for bit in range(7))
VALUE_BYTES = 512
IEC958_BYTES = 176
TLV_MAX = 65536  # bytes of a value that the driver may submit
MASKS = ("VALUE", "INFO", "TLV")  # of CTL_NOTIFY
MASK_VALUE, MASK_INFO, MASK_TLV = (1 << bit for bit in range(3))


def role(name, direction=OUTPUT):
    """The number of a role on the wire: "VOLUME" of an output is 2, of an input 3."""
    number = ROLES.index(name)
    return number << 1 | direction if number else 0


def named(bits, names):
    """The names of the bits of a mask; for bits without a name, their numbers."""
    table = names if isinstance(names, dict) else dict(enumerate(names))
    return [table.get(bit, f"bit {bit}") for bit in range(bits.bit_length()) if bits >> bit & 1]


def name_of(number, names):
    """The name of a number, or the number if it has none. `names` is a tuple or a dict."""
    if isinstance(names, dict):
        return names.get(number, f"{number:#x}")
    return names[number] if number < len(names) else str(number)


def silence(format, n):
    """n bytes of silence in a format, by its number."""
    sample = SILENCE.get(name_of(format, FORMATS), b"\0")
    whole = sample * -(-n // len(sample))
    return whole[len(whole) - n :]
