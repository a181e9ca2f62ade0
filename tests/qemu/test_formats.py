# SPDX-License-Identifier: MIT
"""Every format, channel count and rate that QEMU offers, byte for byte.

Two recordings of each. A raw one holds the guest's bytes, but not what they mean. A mixed one is
QEMU's conversion to S16 stereo, which is right only if the device was told the right format and
channels, and exact only if it was told the rate of the host's end: QEMU would interpolate.
"""

import numpy as np
import pytest

# The type in memory, one sample of silence, and the S16 sample that QEMU makes of a sample. For
# QEMU the middle of unsigned samples is one below what the specification's silence is.
FORMATS = {
    "S8": ("<i1", 0, lambda x: x << 8),
    "U8": ("<u1", 0x80, lambda x: x - 0x7F << 8),
    "S16": ("<i2", 0, lambda x: x),
    "U16": ("<u2", 0x8000, lambda x: x - 0x7FFF),
    "S32": ("<i4", 0, lambda x: x >> 16),
    "U32": ("<u4", 0x80000000, lambda x: x - 0x7FFFFFFF >> 16),
    "FLOAT": ("<f4", 0, lambda x: x * 32768),
}
RATES = [5512, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 64000, 88200, 96000]
SECONDS = 0.1

PROGRAM = """
import vsnd
data = open("/rom/data", "rb").read()
with vsnd.open().output({rate}, {channels}, vsnd.{name}, {period}, 16) as out:
    out.write(data)
"""


def noise(name, channels, rate):
    """Samples of the format that no mistake leaves as they are, shape (frames, channels)."""
    generator = np.random.default_rng([channels, rate, *name.encode()])
    shape = (int(rate * SECONDS) + 1, channels)
    if name == "FLOAT":
        return (generator.integers(-32768, 32768, shape) / 32768).astype("<f4")
    limits = np.iinfo(FORMATS[name][0])
    return generator.integers(limits.min, limits.max + 1, shape, FORMATS[name][0])


def played(board, name, channels, rate, raw):
    """(result, what the device must get): noise in whole periods, the last one padded.

    QEMU's raw recording ends in an assertion unless every piece of sound that it is given has a
    multiple of 4 bytes. A piece is a period, or what the pacing, in units of 4 bytes, left
    of it; so a multiple of 4 frames will do, even for one channel of one byte.
    """
    period = rate // 100 & ~3
    data = noise(name, channels, rate)
    program = PROGRAM.format(rate=rate, channels=channels, name=name, period=period)
    result = board.run(program, {"data": data.tobytes()}, rate=rate, raw=raw)
    assert result.status == 0
    padding = ((0, -len(data) % period), (0, 0))
    return result, np.pad(data, padding, constant_values=FORMATS[name][1])


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", FORMATS)
class TestEveryCombination:
    def test_its_bytes(self, board, name, channels, rate):
        result, wanted = played(board, name, channels, rate, raw=True)
        assert result.recording.samples.tobytes() == wanted.tobytes()

    def test_what_the_device_was_told(self, board, name, channels, rate):
        result, wanted = played(board, name, channels, rate, raw=False)
        number = float if name == "FLOAT" else int
        wanted = FORMATS[name][2](wanted.astype(number)).astype(int).astype("<i2")
        wanted = np.repeat(wanted, 2 // channels, axis=1)
        assert result.recording.first_difference(wanted) is None


# QEMU mixes 1024 frames at each of its ticks: at the usual 100 ticks a second it plays these rates
# too slowly, by a factor of 1.7 and more.
@pytest.mark.parametrize("rate, tick_us", [(176400, 5000), (192000, 5000), (384000, 2500)])
def test_rates_that_need_shorter_ticks(board, rate, tick_us):
    data = np.concatenate([noise("S16", 2, rate)] * 5)
    program = f"""
import time, vsnd
data = memoryview(open("/rom/data", "rb").read())
with vsnd.open().output({rate}, period=1024, periods=8) as out:
    out.write(data[:8192 * 4])
    start = time.ticks_us()
    out.write(data[8192 * 4:])
    print(time.ticks_diff(time.ticks_us(), start), out.xruns)
"""
    options = {"rate": rate, "audio_options": f"timer-period={tick_us}"}
    result = board.run(program, {"data": data.tobytes()}, **options)
    assert result.status == 0
    wanted = np.pad(data, ((0, -len(data) % 1024), (0, 0)))
    assert result.recording.first_difference(wanted) is None
    took_us, xruns = map(int, result.output.split())
    assert xruns == 0
    assert took_us == pytest.approx((len(data) - 8192) / rate * 1e6, rel=0.1)
