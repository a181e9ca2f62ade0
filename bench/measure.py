# SPDX-License-Identifier: MIT
"""Runs programs on one firmware in virtual time, and counts."""

import os
import re
import subprocess
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from virtboard import VirtboardError, tools
from virtboard.process import started
from virtboard.qemu import Machine
from virtboard.rom import pack

GUEST = Path(__file__).parent / "guest"
FRAMES = 480  # of a period
FILE_PERIODS = 100  # in samples()
PERIODS = 3 * FILE_PERIODS  # that a program counts
TRACED = FILE_PERIODS  # periods between the two marks of mmio.py

# Offsets of virtio-mmio registers (VirtIO 1.3, 4.2.2).
MAGIC_VALUE, QUEUE_NOTIFY, INTERRUPT_ACK = 0x00, 0x50, 0x64

# A firmware that hangs would be traced for ever: no row comes near this many instructions.
LIMIT = 20_000_000


def samples(stream=None):
    """What the programs play, and hear: S16 stereo. No frame is like its neighbours.

    stream: None for samples of all 16 bits; else a number from 0 to 3. Those of four streams can
    be told apart when they were added up: each has three bits for itself, which are never 0.
    """
    numbers = np.arange(FILE_PERIODS * FRAMES * 2, dtype=np.uint32) * 40503
    if stream is not None:
        numbers = numbers // 256 % 7 + 1 << 3 * stream
    return numbers.astype("<u2").view("<i2").reshape(-1, 2)


def repeats(played, data):
    """Whether a recording is `data` over and over, at least once, and nothing else."""
    return len(played) >= len(data) and np.array_equal(played, np.resize(data, played.shape))


def rom_image(folder, files):
    """The image of a new folder with these files, {name: bytes}.

    ROMFS aligns nothing, but copying from a multiple of 8 is cheaper: "samples" begins at one.
    """
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    for n in range(8):
        (folder / "padding").write_bytes(bytes(n))  # comes before "samples"
        image = pack(folder)
        if "samples" not in files or image.rindex(files["samples"]) % 8 == 0:
            return image
    raise VirtboardError("samples cannot be aligned in the ROM image")


class Bench:
    """Runs programs of guest/ on one firmware, their files in a folder."""

    def __init__(self, firmware, folder):
        self.firmware = firmware
        self.folder = Path(folder)

    def machine(self, name, append="batch", rom=None, **options):
        """A Machine with a recording of its own. rom: the files of /rom, {name: bytes}."""
        folder = Path(tempfile.mkdtemp(prefix=name, dir=self.folder))
        if rom is not None:
            options["rom"] = folder / "rom.img"
            options["rom"].write_bytes(rom_image(folder / "rom", rom))
        return Machine(self.firmware, wav=folder / "run.wav", append=append, **options)

    def guest(self, name, sounds=None, **options):
        """Runs guest/NAME.py.

        sounds: arrays, what it finds as sound.samples(n); samples() alone unless given. Returns
        ({key: number} of the lines that it prints, the recording's samples or None).
        VirtboardError unless it ended well.
        """
        sounds = [samples()] if sounds is None else sounds
        rom = {
            "main.py": (GUEST / f"{name}.py").read_bytes(),
            "sound.py": (GUEST / "sound.py").read_bytes(),
            "samples": b"".join(each.tobytes() for each in sounds),
        }
        result = self.machine(name, rom=rom, **options).run()
        if result.status:
            why = "\n".join([result.output, *result.failures])
            raise VirtboardError(f"{name}.py ended with status {result.status}:\n{why}")
        figures = {key: int(number) for key, number in map(str.split, result.output.splitlines())}
        return figures, result.recording.samples if result.wav else None

    def plays(self, name, **options):
        """guest() of a program that plays samples() again and again. Returns the figures."""
        figures, played = self.guest(name, **options)
        if figures.pop("xruns", 0):
            raise VirtboardError(f"{name}.py: the device ran dry, so its figures mean nothing")
        if not repeats(played, samples()):
            raise VirtboardError(f"{name}.py: the recording is not what was played")
        return figures

    def long(self):
        figures = self.plays("long")
        return {
            "long_write": figures["instructions"] / PERIODS,
            "long_write_later": figures["later_instructions"] / PERIODS,
            "heap": figures["bytes"] / PERIODS,
        }

    def zero_copy(self):
        figures = self.plays("zero_copy")
        return {
            "zero_copy": figures["instructions"] / PERIODS,
            "heap_zero_copy": figures["bytes"] / PERIODS,
        }

    def several(self, name, outputs):
        """A program that plays on several outputs, which QEMU adds up. Of the streams of its card
        the first half, rounded up, are outputs."""
        sounds = [samples(n) for n in range(outputs)]
        figures, played = self.guest(name, sounds, streams=2 * outputs - 1)
        for n, data in enumerate(sounds):
            part = played & 7 << 3 * n
            sounding = np.flatnonzero(part[:, 0])
            if not figures["xruns"] and not repeats(part[sounding[0] : sounding[-1] + 1], data):
                raise VirtboardError(
                    f"{name}.py: stream {n} of {outputs} did not play its samples"
                )
        return {
            "instructions": figures["instructions"] / PERIODS / outputs,
            "bytes": figures["bytes"] / PERIODS / outputs,
            "xruns": figures["xruns"],
        }

    def streams(self):
        """write() to one to four outputs in turn."""
        each = [self.several("streams", n) for n in range(1, 5)]
        figures = {f"streams_{n}": one["instructions"] for n, one in enumerate(each, 1)}
        return figures | {
            "heap_single": each[0]["bytes"],
            "heap_streams": each[3]["bytes"],
            "xruns_streams": sum(one["xruns"] for one in each),
        }

    def asyncio(self):
        """awrite() to one to four outputs."""
        each = [self.several("asyncio", n) for n in range(1, 5)]
        figures = {f"asyncio_{n}": one["instructions"] for n, one in enumerate(each, 1)}
        return figures | {
            "heap_asyncio": each[0]["bytes"],
            "xruns_asyncio": sum(one["xruns"] for one in each),
        }

    def capture(self):
        """readinto() of silence at the pace of a microphone, and of a file, which has no pace."""
        feed = self.folder / f"feed-{os.urandom(4).hex()}"
        feed.write_bytes(samples().tobytes() * 12)
        heard, _ = self.guest("capture", streams=2, audio="files", feed=feed)
        figures, _ = self.guest("capture", [samples() * 0], streams=2, audio="none")
        if heard["wrong"] or figures["wrong"]:
            raise VirtboardError("capture.py heard other samples than those that it should")
        if figures["xruns"]:
            raise VirtboardError("capture.py: samples were lost, so its figures mean nothing")
        return {
            "capture": figures["instructions"] / PERIODS,
            "capture_single": figures["single_instructions"] / PERIODS,
            "heap_capture": figures["bytes"] / PERIODS,
        }

    def collect(self):
        figures, _ = self.guest("collect")
        return {f"gc_{key.removesuffix('_instructions')}": n for key, n in figures.items()}

    def mmio(self):
        """Counts register accesses in QEMU's trace, between the marks that mmio.py makes."""
        log = self.folder / f"mmio-{os.urandom(4).hex()}.log"
        events = ("virtio_mmio_read", "virtio_mmio_write_offset")
        traces = [word for event in events for word in ("-trace", event)]
        self.plays("mmio", extra=["-D", str(log), *traces])
        access = re.compile(r"virtio_mmio_(read|write) offset (0x[0-9a-f]+)")
        accesses = [(m[1], int(m[2], 16)) for m in map(access.search, log.open()) if m]
        marks = [i for i, each in enumerate(accesses) if each == ("read", MAGIC_VALUE)]
        counts = Counter(accesses[marks[-2] + 1 : marks[-1]])
        sums = Counter(way for way, _ in counts.elements())
        return {
            "mmio_writes": sums["write"] / TRACED,
            "mmio_reads": sums["read"] / TRACED,
            "notifies": counts["write", QUEUE_NOTIFY] / TRACED,
            "interrupts": counts["write", INTERRUPT_ACK] / TRACED,
        }

    def start(self):
        """The tone as it comes, up to QEMU's own trace of PCM_START."""
        event = b"VIRTIO_SND_R_PCM_START"
        return {"start": self.executed("start", "batch", "virtio_snd_handle_code", event)}

    def prompt(self):
        """Up to the store of the prompt's last character into the UART."""
        event = b"write addr 0x00 val 0x20"
        return {"prompt": self.executed("prompt", "repl", "serial_write", event, b"val 0x3e")}

    def executed(self, name, append, trace, event, before=b""):
        """Instructions up to a traced event whose predecessor is `before`.

        QEMU logs each instruction, into a pipe, as it is executed; the firmware is as it is.
        """
        read_end, write_end = os.pipe()
        log = ["-accel", "tcg,one-insn-per-tb=on", "-d", "exec,nochain"]
        extra = [*log, "-D", f"/dev/fd/{write_end}", "-trace", trace]
        machine = self.machine(name, append, extra=extra)
        machine.check()
        null = subprocess.DEVNULL
        pipes = {"stdin": null, "stdout": null, "stderr": null, "pass_fds": [write_end]}
        with started(machine.command(), **pipes):
            os.close(write_end)
            count, last = 0, b""
            with open(read_end, "rb") as lines:
                for line in lines:
                    if line.startswith(b"Trace "):
                        count += 1
                        if count > LIMIT:
                            break
                    elif event in line and before in last:
                        return count
                    else:
                        last = line
        raise VirtboardError(f"{name}: {event.decode()} never came, in {count} instructions")

    def image(self):
        size = tools.TOOLS / "bin" / "riscv64-unknown-elf-size"
        said = subprocess.run([size, self.firmware], capture_output=True, text=True, check=True)
        text, data, *_ = said.stdout.splitlines()[1].split()
        return {"image": int(text) + int(data)}

    def all(self):
        """Every figure, taken twice; VirtboardError if the two differ."""
        parts = (
            self.start,
            self.prompt,
            self.long,
            self.streams,
            self.asyncio,
            self.zero_copy,
            self.capture,
            self.mmio,
            self.collect,
            self.image,
        )
        figures = {}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            rounds = [[pool.submit(part) for part in parts] for _ in range(2)]
            for part, first, second in zip(parts, *rounds, strict=True):
                if first.result() != second.result():
                    differ = f"{first.result()} and {second.result()}"
                    raise VirtboardError(f"two runs of {part.__name__} differ: {differ}")
                figures |= first.result()
        return figures
