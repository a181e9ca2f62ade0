# SPDX-License-Identifier: MIT
"""Runs programs in virtual time, checks what they played, and counts."""

import os
import re
import subprocess
import tempfile
from collections import Counter
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
MIPS = 31.25  # of the virtual processor: an instruction takes 32 ns (-icount shift=5)

# Offsets of virtio-mmio registers (VirtIO 1.3, 4.2.2).
MAGIC_VALUE, QUEUE_NOTIFY, INTERRUPT_ACK = 0x00, 0x50, 0x64
ACCESS = re.compile(r"virtio_mmio_(read|write) offset (0x[0-9a-f]+)")

# A firmware that hangs would be traced for ever: no row comes near this many instructions.
LIMIT = 20_000_000


def noise(frames, channels=2):
    """S16 samples, no frame of which is like its neighbours: shape (frames, channels)."""
    numbers = np.arange(frames * channels, dtype=np.uint32) * 40503
    return numbers.astype("<u2").view("<i2").reshape(-1, channels)


def samples(stream=None):
    """The 100 periods that most programs play, or hear.

    stream: None for samples of all 16 bits; else a number from 0 to 3. Those of four streams can
    be told apart when they were added up: each has three bits for itself, which are never 0.
    """
    data = noise(FILE_PERIODS * FRAMES)
    if stream is None:
        return data
    return ((data.view("<u2") >> 8) % 7 + 1 << 3 * stream).astype("<i2")


def repeats(played, data):
    """Whether a recording is `data` over and over, at least once, and nothing else."""
    return len(played) >= len(data) and np.array_equal(played, np.resize(data, played.shape))


def rom_image(folder, files):
    """The ROMFS image of a new folder with these files, {name: bytes}."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return pack(folder)


class Bench:
    """Runs programs on one firmware (an ELF file); what they need lies below a folder."""

    def __init__(self, firmware, folder):
        self.firmware = Path(firmware)
        self.folder = Path(folder)

    def machine(self, name, append="batch", files=None, **options):
        """A Machine with a recording of its own. files: those of its /rom, {name: bytes}."""
        folder = Path(tempfile.mkdtemp(prefix=name, dir=self.folder))
        if files is not None:
            options["rom"] = folder / "rom.img"
            options["rom"].write_bytes(rom_image(folder / "rom", files))
        return Machine(self.firmware, wav=folder / "run.wav", append=append, **options)

    def figures(self, name, machine):
        """Runs a machine whose program must end well.

        Returns ({key: number} of the lines that it prints, samples of the recording or None).
        """
        result = machine.run()
        if result.status:
            why = "\n".join([result.output, *result.failures])
            raise VirtboardError(f"{name} ended with status {result.status}:\n{why}")
        figures = {key: int(number) for key, number in map(str.split, result.output.splitlines())}
        return figures, result.recording.samples if result.wav else None

    def guest(self, name, sounds=None, constants=None, **options):
        """figures() of guest/NAME.py.

        sounds: arrays, what it finds as sound.samples(n); samples() alone unless given.
        constants: {name: value}, what it finds in its module `constants`. options: of the Machine.
        """
        sounds = [samples()] if sounds is None else sounds
        lines = [f"{key} = {value!r}\n" for key, value in (constants or {}).items()]
        files = {
            "main.py": (GUEST / f"{name}.py").read_bytes(),
            "constants.py": "".join(lines).encode(),
            "sound.py": (GUEST / "sound.py").read_bytes(),
            "samples": b"".join(each.tobytes() for each in sounds),
        }
        return self.figures(f"{name}.py", self.machine(name, files=files, **options))

    def plays(self, name, data=None, **options):
        """The figures of a guest() that plays samples(), or `data`, again and again.

        VirtboardError if the recording is anything else, or the device ran dry.
        """
        data = samples() if data is None else data
        figures, played = self.guest(name, [data], **options)
        if figures.pop("xruns"):
            raise VirtboardError(f"{name}.py: the device ran dry, so its figures mean nothing")
        if played is not None and not repeats(played.reshape(-1, data.shape[1]), data):
            raise VirtboardError(f"{name}.py: the recording is not what was played")
        return figures

    def accesses(self, run):
        """Register accesses between two marks that a program makes: reads of MagicValue.

        run(options for QEMU) runs it. Returns (writes, reads, notifications, interrupts).
        """
        log = Path(tempfile.mkdtemp(prefix="trace", dir=self.folder)) / "log"
        events = ("virtio_mmio_read", "virtio_mmio_write_offset")
        run(["-D", str(log), *(word for event in events for word in ("-trace", event))])
        matches = map(ACCESS.search, log.read_text().splitlines())
        seen = [(m[1], int(m[2], 16)) for m in matches if m]
        marks = [i for i, each in enumerate(seen) if each == ("read", MAGIC_VALUE)]
        counts = Counter(seen[marks[-2] + 1 : marks[-1]])
        sums = Counter(way for way, _ in counts.elements())
        acknowledged = counts["write", INTERRUPT_ACK]
        return sums["write"], sums["read"], counts["write", QUEUE_NOTIFY], acknowledged

    def executed(self, append, trace, event, before=b""):
        """Instructions from power-on to a traced event whose predecessor is `before`.

        QEMU logs each instruction, into a pipe, as it is executed; the firmware is as it is.
        """
        read_end, write_end = os.pipe()
        log = ["-accel", "tcg,one-insn-per-tb=on", "-d", "exec,nochain"]
        extra = [*log, "-D", f"/dev/fd/{write_end}", "-trace", trace]
        machine = self.machine("executed", append, extra=extra)
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
        raise VirtboardError(f"{event.decode()} never came, in {count} instructions")

    def to_start(self):
        """Instructions from power-on to QEMU's own trace of PCM_START."""
        return self.executed("batch", "virtio_snd_handle_code", b"VIRTIO_SND_R_PCM_START")

    def size(self):
        """Bytes of text, data and bss."""
        size = tools.TOOLS / "bin" / "riscv64-unknown-elf-size"
        said = subprocess.run([size, self.firmware], capture_output=True, text=True, check=True)
        return tuple(map(int, said.stdout.splitlines()[1].split()[:3]))

    def symbol(self, name):
        """The address of a symbol of the firmware."""
        nm = tools.TOOLS / "bin" / "riscv64-unknown-elf-nm"
        said = subprocess.run([nm, self.firmware], capture_output=True, text=True, check=True)
        return int(re.search(rf"^([0-9a-f]+) . {name}$", said.stdout, re.M)[1], 16)
