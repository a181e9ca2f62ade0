# SPDX-License-Identifier: MIT
"""The messages of the sound device: codes, layouts and names (VirtIO 1.3, 5.14.6).

Everything is little-endian and packed. Numbers of formats and rates are both the
value in SET_PARAMS and the bit in PCM_INFO.
"""

import errno
from micropython import const
import struct

DEVICE_ID = const(25)

# Queues (5.14.2)
CONTROLQ = const(0)
EVENTQ = const(1)
TXQ = const(2)
RXQ = const(3)

EVENT_BYTES = const(8)

# Requests (5.14.6)
_R_PCM_INFO = const(0x0100)
_R_PCM_SET_PARAMS = const(0x0101)
_R_PCM_PREPARE = const(0x0102)
_R_PCM_RELEASE = const(0x0103)
_R_PCM_START = const(0x0104)
_R_PCM_STOP = const(0x0105)

REQUESTS = {  # jacks, chmaps and controls add theirs
    _R_PCM_INFO: "PCM_INFO",
    _R_PCM_SET_PARAMS: "PCM_SET_PARAMS",
    _R_PCM_PREPARE: "PCM_PREPARE",
    _R_PCM_RELEASE: "PCM_RELEASE",
    _R_PCM_START: "PCM_START",
    _R_PCM_STOP: "PCM_STOP",
}

# Statuses
OK = const(0x8000)

_STATUSES = {
    0x8001: (errno.EINVAL, "BAD_MSG: malformed, or a value out of range"),
    0x8002: (errno.EOPNOTSUPP, "NOT_SUPP: the device does not support it"),
    0x8003: (errno.EIO, "IO_ERR: the device failed"),
}

OUTPUT = const(0)
INPUT = const(1)

# Formats (5.14.6.6.2), by number: name, bits per sample in memory, one sample of silence
# (None: as many zero bytes). Module vsnd has a constant of each name.
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
S16 = const(5)

# By number: frames per second. 12000 and 24000 came with VirtIO 1.4, at the end.
RATES = (
    5512, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 64000, 88200, 96000, 176400,
    192000, 384000, 12000, 24000,
)


# PCM features (5.14.6.6.2), by bit. Shared memory has no transport yet and must not be selected.
PCM_FEATURES = ("SHMEM_HOST", "SHMEM_GUEST", "MSG_POLLING", "EVT_SHMEM_PERIODS", "EVT_XRUNS")
PCM_MSG_POLLING = const(1 << 2)
PCM_EVT_PERIODS = const(1 << 3)
PCM_EVT_XRUNS = const(1 << 4)
PCM_SELECTABLE = const(0x1C)
PCM_DEFAULT = const(0x14)  # where offered: no kicks, and to be told of xruns

CTLS = const(1 << 0)  # VIRTIO_SND_F_CTLS: there are control elements


def format_name(format):
    """The specification's name of a format number."""
    return FORMATS[format][0] if 0 <= format < len(FORMATS) else "format %d" % format


def named(bits, names):
    """The entries of `names` whose bit is set, and the numbers of bits beyond them."""
    return [
        names[i] if i < len(names) else "bit %d" % i for i in range(64) if bits >> i & 1
    ]


def request_name(message):
    """The specification's name of the request that a message makes."""
    code = struct.unpack_from("<I", message)[0]
    return REQUESTS.get(code) or "request %#x" % code


def refusal(status):
    """The errno and the meaning of a status that is not OK."""
    return _STATUSES.get(status) or (errno.EIO, "unknown status %#x" % status)


PCM_INFO_BYTES = const(32)


def pcm_info(start_id, count):
    """Ask for the records of `count` streams from `start_id` on."""
    return struct.pack("<IIII", _R_PCM_INFO, start_id, count, PCM_INFO_BYTES)


def pcm_info_record(data, at):
    """The fields of the pcm_info record at byte `at`: hda_fn_nid, features, formats, rates,
    direction, channels_min, channels_max."""
    return struct.unpack_from("<IIQQBBB", data, at)


def pcm_set_params(stream_id, buffer_bytes, period_bytes, features, channels, format, rate):
    """Format is a number of FORMATS, rate one of RATES."""
    return struct.pack(
        "<IIIIIBBBB",
        _R_PCM_SET_PARAMS, stream_id, buffer_bytes, period_bytes, features,
        channels, format, RATES.index(rate), 0,
    )


def pcm_prepare(stream_id):
    return struct.pack("<II", _R_PCM_PREPARE, stream_id)


def pcm_release(stream_id):
    return struct.pack("<II", _R_PCM_RELEASE, stream_id)


def pcm_start(stream_id):
    return struct.pack("<II", _R_PCM_START, stream_id)


def pcm_stop(stream_id):
    return struct.pack("<II", _R_PCM_STOP, stream_id)


def pcm_xfer(stream_id):
    """What precedes the samples of every period."""
    return struct.pack("<I", stream_id)
