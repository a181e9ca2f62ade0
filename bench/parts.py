# SPDX-License-Identifier: MIT
"""Each row's figure. A part runs a program or a few, and returns {key of a row: figure}."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from virtboard import VirtboardError

from bench.measure import FILE_PERIODS, FRAMES, MIPS, PERIODS, Bench, noise, repeats, samples

RAM_BASE = 0x80000000
OUTPUTS = range(1, 5)  # of one card, at once
THROUGHPUT = ((48000, 2), (192000, 2), (384000, 2), (48000, 8), (384000, 8))  # Hz, channels


def long(bench):
    figures = bench.plays("long")
    return {
        "long_write": figures["instructions"] / PERIODS,
        "long_write_later": figures["later_instructions"] / PERIODS,
        "long_write_unaligned": figures["unaligned_instructions"] / PERIODS,
        "heap": figures["bytes"] / PERIODS,
    }


def zero_copy(bench):
    figures = bench.plays("zero_copy")
    return {
        "zero_copy": figures["instructions"] / PERIODS,
        "heap_zero_copy": figures["bytes"] / PERIODS,
    }


def several(bench, name, outputs):
    """A program that plays on several outputs, which QEMU adds up. Of the streams of its card the
    first half, rounded up, are outputs."""
    sounds = [samples(n) for n in range(outputs)]
    figures, played = bench.guest(name, sounds, streams=2 * outputs - 1)
    for n, data in enumerate(sounds):
        part = played & 7 << 3 * n
        sounding = np.flatnonzero(part[:, 0])
        part = part[sounding[0] : sounding[-1] + 1] if len(sounding) else part[:0]
        if not figures["xruns"] and not repeats(part, data):
            raise VirtboardError(f"{name}.py: stream {n} of {outputs}: the recording is not exact")
    return {
        "instructions": figures["instructions"] / PERIODS / outputs,
        "bytes": figures["bytes"] / PERIODS / outputs,
        "xruns": figures["xruns"],
    }


def streams(bench):
    """write() to one to four outputs in turn."""
    each = [several(bench, "streams", n) for n in OUTPUTS]
    figures = {f"streams_{n}": one["instructions"] for n, one in zip(OUTPUTS, each, strict=True)}
    return figures | {
        "heap_single": each[0]["bytes"],
        "heap_streams": each[3]["bytes"],
        "xruns_streams": sum(one["xruns"] for one in each),
    }


def asyncio(bench):
    """awrite() to one to four outputs."""
    each = [several(bench, "asyncio", n) for n in OUTPUTS]
    figures = {f"asyncio_{n}": one["instructions"] for n, one in zip(OUTPUTS, each, strict=True)}
    return figures | {
        "heap_asyncio": each[0]["bytes"],
        "xruns_asyncio": sum(one["xruns"] for one in each),
    }


def capture(bench):
    """readinto() of silence at the pace of a microphone, which is counted, and of a file, which
    has no pace, to see that it is what was recorded."""
    feed = Path(tempfile.mkdtemp(prefix="feed", dir=bench.folder)) / "feed"
    feed.write_bytes(samples().tobytes() * 16)
    heard, _ = bench.guest("capture", streams=2, audio="files", feed=feed)
    figures, _ = bench.guest("capture", [samples() * 0], streams=2, audio="none")
    if heard["wrong"] or figures["wrong"]:
        raise VirtboardError("capture.py heard other samples than those that it should")
    if figures["xruns"]:
        raise VirtboardError("capture.py: samples were lost, so its figures mean nothing")
    return {
        "capture": figures["instructions"] / PERIODS,
        "capture_single": figures["single_instructions"] / PERIODS,
        "heap_capture": figures["bytes"] / PERIODS,
    }


def collect(bench):
    """A garbage collection in the middle of playing."""
    found = {}
    for name, live, collects in (("none", 0, False), ("small", 0, True), ("large", 1024, True)):
        constants = {"LIVE": live, "COLLECT": collects}
        figures, played = bench.guest("collect", constants=constants)
        if not repeats(played, samples()):
            raise VirtboardError("collect.py: the recording is not what was played")
        found[f"gc_{name}_worst"] = figures["worst"]
        found[f"gc_{name}_gap"] = figures["gap_us"]
        if collects:
            found[f"gc_{name}"] = figures["collection"]
            found[f"gc_{name}_us"] = figures["collection_us"]
            found[f"gc_{name}_xruns"] = figures["xruns"]
        elif figures["xruns"]:
            raise VirtboardError("collect.py: the device ran dry without a collection")
    return found


def latency(bench):
    """From write() to where its first sample is in the recording, whose time begins with START."""
    figures, played = bench.guest("latency")
    first = samples()[: 4 * FRAMES]
    later = 4 * FRAMES + 10 * 4 * FRAMES  # what was written before, the first and silence
    wanted = np.concatenate([first, np.zeros((later - len(first), 2), "<i2"), samples()])
    if figures["xruns"] or not np.array_equal(played, wanted):
        raise VirtboardError("latency.py: the recording is not what was played")
    us = later * 1_000_000 / 48000 - figures["write_us"]
    return {
        "latency_first": figures["first_us"],
        "latency_first_frames": int(np.flatnonzero(played.any(axis=1))[0]),
        "latency_frames": us * 48000 / 1_000_000,
        "latency_us": us,
    }


def throughput(bench):
    found = {}
    for rate, channels in THROUGHPUT:
        data = noise(rate // 2, channels)
        constants = {"RATE": rate, "CHANNELS": channels, "PERIOD": rate // 100}
        # QEMU mixes 1024 frames a tick at the most, and stereo: a card with other sound has a
        # recording only without a mixer, and then it has a pace of its own.
        options = {"rate": rate, "audio_options": f"timer-period={480_000_000 // rate}"}
        if channels > 2:
            raw = constants | {"PERIOD": rate // 400}
            bench.plays("throughput", data, constants=raw, raw=True)
            options["audio"] = "none"
        figures = bench.plays("throughput", data, constants=constants, **options)
        key = f"rate_{rate}_{channels}"
        found[key] = figures["instructions"] / 100  # periods, which are a second
        found[f"{key}_percent"] = figures["instructions"] / (MIPS * 1_000_000) * 100
    return found


def mmio(bench):
    figures = bench.accesses(lambda extra: bench.plays("mmio", extra=extra))
    keys = ("mmio_writes", "mmio_reads", "notifies", "interrupts")
    return {key: n / FILE_PERIODS for key, n in zip(keys, figures, strict=True)}


def start(bench):
    """The tone as it comes."""
    return {"start": bench.to_start()}


def prompt(bench):
    """Up to the store of the prompt's last character into the UART."""
    event = b"write addr 0x00 val 0x20"
    return {"prompt": bench.executed("repl", "serial_write", event, b"val 0x3e")}


def memory(bench):
    text, data, bss = bench.size()
    ram = bench.symbol("__heap_start") - RAM_BASE
    return {"image": text + data, "bss": bss, "ram": ram} | bench.guest("memory")[0]


def floor(bench):
    """The programs in C, which lie beside the firmware."""
    copy, zero_copy = (
        Bench(bench.firmware.parent / "floor" / f"{name}.elf", bench.folder)
        for name in ("copy", "zero_copy")
    )
    figures = copy.accesses(lambda extra: played_by(copy, extra))
    keys = ("floor_writes", "floor_reads", "floor_notifies", "floor_interrupts")
    text, data, _ = copy.size()
    return {
        "floor_copy": played_by(copy) / PERIODS,
        "floor_zero_copy": played_by(zero_copy) / PERIODS,
        "floor_start": copy.to_start(),
        "floor_image": text + data,
    } | {key: n / PERIODS for key, n in zip(keys, figures, strict=True)}


def played_by(program, extra=()):
    """Instructions that a program of bench/floor counted: silence, the samples, silence."""
    machine = program.machine("floor", extra=list(extra))
    figures, played = program.figures(program.firmware.name, machine)
    data = played[4 * FRAMES :][: len(samples()) * 4]
    exact = len(data) == len(samples()) * 4 and repeats(data, samples())
    if not exact or played[: 4 * FRAMES].any() or played[4 * FRAMES + len(data) :].any():
        raise VirtboardError(f"{program.firmware}: the recording is not what was played")
    return figures["instructions"]


# The long ones first, so that two processors are busy up to the end.
PARTS = (
    asyncio, start, streams, collect, throughput, capture, long, zero_copy, mmio, floor, latency,
    memory, prompt,
)  # fmt: skip


def measure(firmware, times):
    """Every figure, each taken that many times; VirtboardError if they differ."""
    figures = {}
    with tempfile.TemporaryDirectory(prefix="vsnd-bench-") as folder:
        bench = Bench(firmware, folder)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = [[pool.submit(part, bench) for _ in range(times)] for part in PARTS]
            for part, each in zip(PARTS, runs, strict=True):
                first, *others = (run.result() for run in each)
                for other in others:
                    if other != first:
                        names = [key for key in first if first[key] != other[key]]
                        raise VirtboardError(f"{part.__name__}: two runs differ in {names}")
                figures |= first
    return figures
