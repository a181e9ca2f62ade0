# SPDX-License-Identifier: MIT
"""The examples, and exactly what they play. Those that need another card are in tests/device."""

import numpy as np
from feed import noise
from virtboard import tools

EXAMPLES = tools.ROOT / "examples"
HERE = {"thesis_demo", "asyncio_duplex", "loopback", "irq_feed", "two_streams"}
ELSEWHERE = {"events", "controls_mixer"}  # tests/device/test_device_examples.py


def run(board, name, files=None, **options):
    """Runs an example, with more files; it must end well. Returns its Result."""
    result = board.run(EXAMPLES / name / "main.py", files, **options)
    assert result.status == 0
    return result


def ramp(frames, cycle, low, high):
    """A triangle wave: `low` at frame 0, `high` half a cycle later."""
    at = np.arange(frames) % cycle
    return np.floor(np.interp(at, [0, cycle / 2, cycle], [low, high, low]))


def stereo(left, right=None):
    return np.stack([left, left if right is None else right], axis=1).astype("<i2")


def test_every_example_is_tested():
    names = {path.parent.name for path in EXAMPLES.glob("*/main.py")}
    assert names == HERE | ELSEWHERE
    for name in names:
        text = (EXAMPLES / name / "main.py").read_text()
        assert text.startswith('# SPDX-License-Identifier: MIT\n"""')
        assert f"    make run-qemu ROM=examples/{name}" in text


# thesis_demo

CHORD = stereo(ramp(3 * 44100, 100, 68, 188), ramp(3 * 44100, 150, 68, 188))


def test_thesis_demo_byte_by_byte(board):
    options = {"audio": "files", "streams": 2, "raw": True}
    result = run(board, "thesis_demo", **options)
    assert result.output.startswith(f"{len(CHORD)} frames, ")
    assert result.played == CHORD.astype("u1").tobytes()


def test_thesis_demo_as_qemu_records_it(board):
    result = run(board, "thesis_demo", rate=44100)
    assert result.output == f"{len(CHORD)} frames, 0 underruns\n"
    assert result.recording.first_difference((CHORD - 127) * 256) is None


def test_thesis_demo_with_files(board):
    first, second = noise(3 * 4410), noise(107 * 4410 + 2754, 9)
    options = {"audio": "files", "streams": 2, "raw": True}
    result = run(board, "thesis_demo", {"b.raw": second, "a.raw": first}, **options)
    assert result.output.startswith(f"{111 * 2205} frames, ")
    assert result.played == first + second + b"\x80" * (4410 - 2754)


# The others


def test_asyncio_duplex(board):
    generator = np.random.default_rng(5)
    heard = generator.integers(-500, 501, (30, 4800, 2)) * np.arange(30)[:, None, None]
    feed = board.folder / "feed"
    feed.write_bytes(heard.astype("<i2").tobytes() + noise(100000))
    result = run(board, "asyncio_duplex", audio="files", streams=2, feed=feed)
    assert result.played == stereo(ramp(3 * 48000, 100, -6000, 6000)).tobytes()
    peaks = abs(heard.sum(axis=2)).max(axis=1)  # QEMU adds both sides up
    lines = result.output.splitlines()
    told = [line for line in lines if "peak" in line]
    assert told == [f"{n / 10:.1f} s: peak {peak}" for n, peak in enumerate(peaks)]
    highest, count = map(int, lines[-1].removeprefix("primes up to ").split(": "))
    sieve = np.ones(highest + 1, bool)
    sieve[:2] = False
    for n in range(2, highest + 1):
        sieve[2 * n :: n] = False
    assert count == sieve.sum() > 50


def test_loopback(board):
    feed = board.folder / "feed"
    feed.write_bytes(noise(10 * 48000 * 4 + 100000))
    result = run(board, "loopback", audio="files", streams=2, feed=feed)
    assert result.played == bytes(4 * 1920) + feed.read_bytes()[: 10 * 48000 * 4]


def test_irq_feed(board):
    n = np.arange(96000)
    result = run(board, "irq_feed")
    wanted = stereo(n % 300 * 40 - 6000, n % 400 * 30 - 6000)
    assert result.recording.first_difference(wanted) is None
    percents = [int(line.removesuffix(" %")) for line in result.output.splitlines()]
    assert percents == sorted(set(percents))
    assert len(percents) == 8


def test_two_streams(board):
    result = run(board, "two_streams", streams=3)
    assert result.output == "stream 0: 0 underruns\nstream 1: 0 underruns\n"
    first = stereo(ramp(96000, 200, -9000, 9000))
    second = stereo(ramp(96000, 150, -7000, 7000))
    recorded = result.recording.samples.astype(int)
    start = recorded.shape[0] - len(second)
    assert abs(start - 24000) < 2400
    wanted = np.zeros_like(recorded)
    wanted[: len(first)] += first
    wanted[start:] += second
    assert result.recording.first_difference(wanted) is None
