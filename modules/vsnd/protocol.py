# SPDX-License-Identifier: MIT
"""The messages of the sound device: codes, layouts and names (VirtIO 1.3, 5.14.6).

Everything is little-endian and packed. Numbers of formats and rates are both the
value in SET_PARAMS and the bit in PCM_INFO.
"""

from errno import EINVAL, EIO, EOPNOTSUPP
from micropython import const
import struct

DEVICE_ID = const(25)

# Queues (5.14.2)
CONTROLQ = const(0)
EVENTQ = const(1)
TXQ = const(2)
RXQ = const(3)

# Requests (5.14.6)
R_PCM_INFO = const(0x0100)
R_PCM_SET_PARAMS = const(0x0101)
R_PCM_PREPARE = const(0x0102)
R_PCM_RELEASE = const(0x0103)
R_PCM_START = const(0x0104)
R_PCM_STOP = const(0x0105)

REQUESTS = {
    R_PCM_INFO: "PCM_INFO",
    R_PCM_SET_PARAMS: "PCM_SET_PARAMS",
    R_PCM_PREPARE: "PCM_PREPARE",
    R_PCM_RELEASE: "PCM_RELEASE",
    R_PCM_START: "PCM_START",
    R_PCM_STOP: "PCM_STOP",
}

# Statuses
S_OK = const(0x8000)
S_BAD_MSG = const(0x8001)
S_NOT_SUPP = const(0x8002)
S_IO_ERR = const(0x8003)

STATUSES = {
    S_BAD_MSG: (EINVAL, "BAD_MSG: malformed, or a value out of range"),
    S_NOT_SUPP: (EOPNOTSUPP, "NOT_SUPP: the device does not support it"),
    S_IO_ERR: (EIO, "IO_ERR: the device failed"),
}

OUTPUT = const(0)
INPUT = const(1)

# Formats (5.14.6.6.2)
IMA_ADPCM = const(0)
MU_LAW = const(1)
A_LAW = const(2)
S8 = const(3)
U8 = const(4)
S16 = const(5)
U16 = const(6)
S18_3 = const(7)
U18_3 = const(8)
S20_3 = const(9)
U20_3 = const(10)
S24_3 = const(11)
U24_3 = const(12)
S20 = const(13)
U20 = const(14)
S24 = const(15)
U24 = const(16)
S32 = const(17)
U32 = const(18)
FLOAT = const(19)
FLOAT64 = const(20)
DSD_U8 = const(21)
DSD_U16 = const(22)
DSD_U32 = const(23)
IEC958_SUBFRAME = const(24)

# By number: name, bits per sample in memory, one sample of silence (None: as many zero bytes).
FORMATS = (
    ("IMA_ADPCM", 4, None), ("MU_LAW", 8, b"\xff"), ("A_LAW", 8, b"\xd5"),
    ("S8", 8, None), ("U8", 8, b"\x80"), ("S16", 16, None), ("U16", 16, b"\x00\x80"),
    ("S18_3", 24, None), ("U18_3", 24, b"\x00\x00\x02"),
    ("S20_3", 24, None), ("U20_3", 24, b"\x00\x00\x08"),
    ("S24_3", 24, None), ("U24_3", 24, b"\x00\x00\x80"),
    ("S20", 32, None), ("U20", 32, b"\x00\x00\x08\x00"),
    ("S24", 32, None), ("U24", 32, b"\x00\x00\x80\x00"),
    ("S32", 32, None), ("U32", 32, b"\x00\x00\x00\x80"),
    ("FLOAT", 32, None), ("FLOAT64", 64, None),
    ("DSD_U8", 8, b"\x69"), ("DSD_U16", 16, b"\x69\x69"), ("DSD_U32", 32, b"\x69\x69\x69\x69"),
    ("IEC958_SUBFRAME", 32, None),
)

# By number: frames per second. 12000 and 24000 came with VirtIO 1.4, at the end.
RATES = (
    5512, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 64000, 88200, 96000, 176400,
    192000, 384000, 12000, 24000,
)


def format_name(format):
    """The specification's name of a format number."""
    return FORMATS[format][0] if 0 <= format < len(FORMATS) else "format %d" % format


def named(bits, names):
    """The entries of `names` whose bit is set, and the numbers of bits beyond them."""
    return [
        names[i] if i < len(names) else "bit %d" % i for i in range(64) if bits >> i & 1
    ]


def query_info(code, start_id, count, size):
    """A *_INFO request: `count` records of `size` bytes from id `start_id`."""
    return struct.pack("<IIII", code, start_id, count, size)


def pcm_request(code, stream_id):
    """PREPARE, RELEASE, START and STOP."""
    return struct.pack("<II", code, stream_id)


def pcm_set_params(stream_id, buffer_bytes, period_bytes, features, channels, format, rate):
    """SET_PARAMS; format and rate are the numbers above."""
    return struct.pack(
        "<IIIIIBBBB",
        R_PCM_SET_PARAMS, stream_id, buffer_bytes, period_bytes, features,
        channels, format, rate, 0,
    )


PCM_INFO_SIZE = const(32)


def pcm_info(data, at):
    """The fields of the pcm_info record at byte `at`: hda_fn_nid, features, formats, rates,
    direction, channels_min, channels_max."""
    return struct.unpack_from("<IIQQBBB", data, at)
