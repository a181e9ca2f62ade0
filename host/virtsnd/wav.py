# SPDX-License-Identifier: MIT
"""What a stream played or recorded, as a WAV file."""

import pathlib
import struct

from .protocol import FORMATS, RATES

PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE

# By name: the format tag, and the bits of a sample. Others have no form in a WAV file: their bytes
# go out as they are.
FORMS = {
    "U8": (PCM, 8), "S16": (PCM, 16), "S24_3": (PCM, 24), "S32": (PCM, 32),
    "FLOAT": (FLOAT, 32), "FLOAT64": (FLOAT, 64), "MU_LAW": (MU_LAW, 8), "A_LAW": (A_LAW, 8),
}
# The rest of a GUID whose beginning is a format tag.
GUID_END = bytes.fromhex("000000001000800000aa00389b71")


def header(params, n):
    """The bytes before n bytes of samples, None if their format has no form in a WAV file.

    44 bytes for PCM of one or two channels. More channels need WAVE_FORMAT_EXTENSIBLE, whose
    channel mask is left open, and everything but PCM says how many frames there are.
    """
    name = FORMATS[params.format]
    if name not in FORMS:
        return None
    tag, bits = FORMS[name]
    frame = bits // 8 * params.channels
    rate = RATES[params.rate]
    wide = params.channels > 2
    format = struct.pack(
        "<HHIIHH", EXTENSIBLE if wide else tag, params.channels, rate, rate * frame, frame, bits
    )
    if wide:
        format += struct.pack("<HHIH", 22, bits, 0, tag) + GUID_END
    elif tag != PCM:
        format += bytes(2)
    chunks = chunk(b"fmt ", format)
    if tag != PCM:
        chunks += chunk(b"fact", struct.pack("<I", n // frame))
    size = 4 + len(chunks) + 8 + n + n % 2
    return b"RIFF" + struct.pack("<I", size) + b"WAVE" + chunks + b"data" + struct.pack("<I", n)


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data


def write_wav(stream, path, what=None):
    """Write what a stream `played`, `heard` or `recorded`; return the path that was written.

    Without `what` it is what an output played, or an input recorded. The parameters are those of
    the last SET_PARAMS. A format that has no form in a WAV file becomes a `.raw` file, and a
    stream without parameters no file: then None is returned.
    """
    if stream.params is None:
        return None
    what = what or ("recorded" if hasattr(stream, "recorded") else "played")
    data = bytes(getattr(stream, what))
    path = pathlib.Path(path)
    head = header(stream.params, len(data))
    if head is None:
        path = path.with_suffix(".raw")
        path.write_bytes(data)
    else:
        path.write_bytes(head + data + bytes(len(data) % 2))
    return path
