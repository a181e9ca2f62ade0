# SPDX-License-Identifier: MIT
"""Play WAV files.

An output is anything whose write(buf) takes whole frames and blocks until it has taken them all:
vsnd's, or a real board's machine.I2S. What only vsnd's has is used if it is there: drain(),
write(buf, copy=False), and rate, channels, format and period (frames) as attributes.
"""

import wave

# What a WAV file's format tag and bytes per sample are called by a sound card. The numbers are
# the VirtIO ones, which vsnd uses.
_FORMATS = {
    (wave.WAVE_FORMAT_PCM, 1): (4, "U8"),
    (wave.WAVE_FORMAT_PCM, 2): (5, "S16"),
    (wave.WAVE_FORMAT_PCM, 3): (11, "S24_3"),
    (wave.WAVE_FORMAT_PCM, 4): (17, "S32"),
    (wave.WAVE_FORMAT_IEEE_FLOAT, 4): (19, "FLOAT"),
    (wave.WAVE_FORMAT_IEEE_FLOAT, 8): (20, "FLOAT64"),
    (wave.WAVE_FORMAT_ALAW, 1): (2, "A_LAW"),
    (wave.WAVE_FORMAT_MULAW, 1): (1, "MU_LAW"),
}

# QEMU's device takes 1024 frames ahead of what is heard, whatever the rate; with fewer queued it
# has everything at once and then waits for us. So 4 periods of 10 ms will do from 32 kHz up;
# below, more of them: a power of two, up to the 16 that vsnd has, then longer ones.
_QUEUED_FRAMES = 1200
_PERIODS_MAX = 16

# A file that is not in memory is read this much at a time, at most.
_BUFFER_BYTES = 16384


def open_output(rate, channels, format):
    """Open the first output of the first sound card, with periods of about 10 ms.

    rate in Hz. ValueError if the card does not offer it, OSError(ENODEV) without a card.
    """
    import vsnd  # here only: the rest works on boards without it

    period = max(rate // 100, 1)
    periods = 4
    while period * periods < _QUEUED_FRAMES:
        if periods < _PERIODS_MAX:
            periods *= 2
        else:
            period *= 2
    return vsnd.open().output(
        rate=rate, channels=channels, format=format, period=period, periods=periods
    )


def play(source, out=None):
    """Play a WAV file and return when it has been heard.

    *source* is a file name, an open binary file, a bytes-like object that holds a whole WAV file,
    or a wave reader, which plays from where it stands; what was open stays open.

    Without *out* the first output of the first sound card is opened as the file wants it (rate,
    channels, format), drained and closed. An *out* that is given stays open, and is drained if it
    can (machine.I2S cannot: there the last buffer is still playing on return).

    Samples go out as they are. 8-bit PCM is U8, then S16, S24_3, S32, FLOAT, FLOAT64, A_LAW,
    MU_LAW; what lies in memory (ROMFS) is played from there, without a copy.

    wave.Error if the file cannot be read; ValueError if the output is not made for what is in it.
    """
    wav = source if hasattr(source, "readframes") else wave.open(source, "rb")
    try:
        rate, channels = wav.getframerate(), wav.getnchannels()
        format = _FORMATS[wav.getformat(), wav.getsampwidth()][0]
        name = wav.name or "WAV file"
        if out is None:
            try:
                out = open_output(rate, channels, format)
            except ValueError as e:
                raise ValueError("%s: %s" % (name, e))
            with out:
                _feed(wav, out)
        else:
            _check(out, name, "rate", rate)
            _check(out, name, "channels", channels)
            _check(out, name, "format", format)
            _feed(wav, out)
    finally:
        if wav is not source:
            wav.close()


def _check(out, name, word, value):
    has = getattr(out, word, value)  # an output that does not tell (machine.I2S) is trusted
    if has != value:
        if word == "format":
            names = dict(_FORMATS.values())
            value, has = names[value], names.get(has, has)
        raise ValueError("%s: needs an output with %s=%s, this has %s" % (name, word, value, has))


def _feed(wav, out):
    frame_bytes = wav.getnchannels() * wav.getsampwidth()
    data = wav.data()
    if data is not None:
        data = data[wav.tell() * frame_bytes :]
        wav.setpos(wav.getnframes())
        if _plays_in_place(out):
            out.write(data, copy=False)
        else:
            out.write(data)
    else:
        # Two periods at a time: few calls, and the others keep playing while the file is read.
        frames = 2 * getattr(out, "period", wav.getframerate() // 100)
        frames = min(frames, _BUFFER_BYTES // frame_bytes, wav.getnframes())
        buf = bytearray(max(frames, 1) * frame_bytes)
        size = len(buf)
        readinto = wav.readinto
        write = out.write
        n = readinto(buf)
        while n:
            write(buf if n == size else memoryview(buf)[:n])
            n = readinto(buf)
    if hasattr(out, "drain"):
        out.drain()


def _plays_in_place(out):
    # Only what can also be drained: nobody may change the samples before they have been heard.
    if not hasattr(out, "drain"):
        return False
    try:
        out.write(b"", copy=False)
    except TypeError:  # no such argument
        return False
    return True
