# SPDX-License-Identifier: MIT
"""Command lines for QEMU, and running it: in virtual time for tests, in real time for people."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import termios
import time
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

from virtboard import VirtboardError, alsa
from virtboard import disk as disks
from virtboard.files import read_file, shown
from virtboard.process import Drain, started
from virtboard.recording import Recording, empty_recording, finish_header
from virtboard.romfs import FLASH_BYTES, Damaged, check_image

BOARDS = ("qemu_virt", "qemu_virt32")  # the first, unless $BOARD names another
ROM_ADDRESS = 0x20000000  # flash 0 of the machine `virt`
RATES = range(5512, 384001)  # Hz: the lowest and the highest rate that virtio-sound knows
LAST_LINES = 10  # of the serial output, told when a run takes too long
LAST_CHARACTERS = 10_000  # that they are looked for in

# What QEMU says on its standard error before it goes on without (part of) the sound.
COMPLAINTS = {
    "Failed to open wav": "QEMU could not open the recording",
    "wav_init_out: failed": "QEMU could not write the recording",
    "wav_write_out: fwrite": "QEMU could not write all of the recording (is the disk full?)",
    "Could not create a backend for voice `virtio-sound.out'": "the sound card has no output",
    "Unexpected end-of-file before all data were read": "the sound device went away",
}


def build_folder(board=None):
    """Where the board's firmware.elf is built: this one's, or that of $BOARD."""
    from virtboard import tools

    return tools.ROOT / "build" / (board or os.environ.get("BOARD") or BOARDS[0])


def xlen(firmware):
    """Bits of a register of the machine that an ELF file is for; 64 if the file is none."""
    with contextlib.suppress(OSError):
        if os.path.isfile(firmware):  # and no FIFO, which would be waited for
            with open(firmware, "rb") as f:
                return 32 if f.read(5) == b"\x7fELF\x01" else 64
    return 64


class RunFailed(VirtboardError):
    """QEMU was started and went wrong; not the guest's own failure, which is a status."""


class BoardTimeout(RunFailed, TimeoutError):
    """The run was ended from outside; `result` is what there was up to then."""

    def __init__(self, limit, result):
        said = result.output[-LAST_CHARACTERS:].rstrip().splitlines()[-LAST_LINES:] or ["(none)"]
        lines = [f"the board did not end within {limit:g} s of real time; last serial lines:"]
        super().__init__("\n  ".join([*lines, *map(shown, said), *result.failures]))
        self.result = result


@dataclass(frozen=True)
class Result:
    """What a run left behind."""

    status: int  # the guest's, or QEMU's own; never 0 when the sound was lost
    output: str  # what the guest printed on its UART, lines ended by \n; see process.KEPT
    errors: str  # what QEMU said on standard error
    seconds: float  # real time
    wav: Path | None = None  # the recording's file
    failures: tuple[str, ...] = ()  # a clear line for each thing that QEMU did not manage
    played: bytes | None = None  # the samples that the card played, with audio='files'

    @cached_property
    def recording(self):
        """The `Recording` of what the card played. VirtboardError if the run made none."""
        if self.wav is None:
            raise VirtboardError("this run has no recording: it needs sound=True and audio='wav'")
        return Recording(self.wav)


@dataclass
class Machine:
    """A board to start: the firmware, what the guest finds around it, and where its sound goes.

    Time is virtual unless a person, a host's sound or another program takes part: the same
    program then leaves the same bytes in every run, and faster than real time.
    """

    firmware: Path | str
    wav: Path | str | None = None  # needed for audio='wav'
    audio: str = "wav"  # QEMU's audio driver, or 'files': from `feed`, and to Result.played
    feed: Path | str | None = None  # raw samples for the card to hear, see alsa.py; None: silence
    rom: Path | str | None = None  # ROMFS image that the guest sees as /rom
    disk: Path | str | None = None  # image, made if it is not there, or folder: the guest's /disk
    rate: int = 48000  # Hz, of the host's end; a recording is exact if the guest uses the same
    streams: int = 1  # the first half, rounded up, are outputs
    memory: str = "128M"
    append: str = ""  # words for the guest, in the device tree's bootargs
    legacy: bool = False  # virtio-mmio Version 1
    sound: bool = True  # a sound card at all
    device: Path | str | None = None  # socket of `python -m virtsnd`, to be the sound card
    controls: bool = True  # whether that device's configuration space has the field `controls`
    icount: bool | None = None  # virtual time; None: decided as said above
    raw: bool = False  # record the guest's bytes as they are, whatever their format and rate
    audio_options: str = ""  # more for -audiodev, like "timer-period=5000"
    terminal: bool = False  # serial and monitor share this terminal, instead of `serial`
    serial: str = "stdio"
    extra: list[str] = field(default_factory=list)  # more options for QEMU
    inherited: tuple[int, ...] = ()  # file descriptors that those options name
    qemu: Path | str | None = None  # None: the project's own wrapper that suits the firmware

    def __post_init__(self):
        if self.icount is None:
            alone = self.serial == "stdio" and not self.terminal
            alone = alone and not self.outside and self.disk is None
            self.icount = alone and self.audio in ("wav", "none", "files")
        if self.qemu is None:
            from virtboard import tools

            self.qemu = tools.TOOLS / "bin" / f"qemu-system-riscv{xlen(self.firmware)}"

    @property
    def records(self):
        """True if a run leaves a recording."""
        return self.sound and self.audio == "wav" and not self.outside

    @property
    def files(self):
        """True if a run hears `feed` and leaves Result.played."""
        return self.sound and self.audio == "files" and not self.outside

    @property
    def driver(self):
        """QEMU's audio driver."""
        return "alsa" if self.audio == "files" else self.audio

    @property
    def outside(self):
        """True if the sound card is another process."""
        return self.sound and self.device is not None

    def command(self):
        """The command line, a list of strings."""
        machine = "virt,memory-backend=ram" if self.outside else "virt"
        words = [str(self.qemu), "-machine", machine, "-smp", "1", "-m", self.memory]
        words += ["-bios", "none", "-kernel", str(self.firmware)]
        words += ["-append", self.append] if self.append else []
        words += ["-display", "none", *self._console()]
        if self.icount:
            words += ["-icount", "shift=5,sleep=off", "-seed", "1"]
            words += ["-rtc", "base=2000-01-01,clock=vm"]
        words += ["-global", f"virtio-mmio.force-legacy={str(self.legacy).lower()}"]
        words += ["-global", "virtio-mmio.ioeventfd=off"]
        words += self._sound() if self.sound else []
        words += disks.options(self.disk) if self.disk is not None else []
        if self.rom is not None:
            image = f"file={escaped(self.rom)},addr={ROM_ADDRESS:#x},force-raw=on"
            words += ["-device", f"loader,{image}"]
        return words + self.extra

    def _console(self):
        if self.terminal:
            chardev = "stdio,id=con,mux=on,signal=off"
            return ["-chardev", chardev, "-serial", "chardev:con", "-mon", "chardev=con"]
        return ["-monitor", "none", "-serial", self.serial]

    def _sound(self):
        if self.outside:
            # That process reads and writes the guest's memory, which is therefore shared. Without
            # a unit -m means megabytes, and size bytes.
            size = self.memory + "M" * self.memory.isdecimal()
            memory = f"memory-backend-memfd,id=ram,size={size},share=on"
            chardev = f"socket,id=snd,path={escaped(self.device)}"
            device = "vhost-user-snd,chardev=snd" + (",controls=on" if self.controls else "")
            return ["-object", memory, "-chardev", chardev, "-device", device]
        options = [self.driver, "id=snd"]
        options += [f"path={escaped(self.wav)}"] if self.records else []
        pace = "mixing-engine=off" if self.raw else f"frequency={self.rate}"
        options += [f"out.{pace}"] + (["out.voices=1"] if self.raw else [])
        options += [] if self.records else [f"in.{pace}"]  # the driver wav has no input
        options += alsa.OPTIONS if self.files else []
        options += [self.audio_options] if self.audio_options else []
        device = f"virtio-sound-device,audiodev=snd,streams={self.streams}"
        return ["-audiodev", ",".join(options), "-device", device]

    def check(self):
        """Raises VirtboardError for what would fail, or worse be ignored, once QEMU runs.

        An old recording is emptied, so that it cannot be taken for this run's.
        """
        if not os.access(self.qemu, os.X_OK):
            raise VirtboardError(f"no QEMU at {self.qemu}: `make tools` gets one")
        if not Path(self.firmware).is_file():
            raise VirtboardError(f"no firmware at {self.firmware}: `make run-qemu` builds it")
        self._check_rom()
        if listens_to_others(self.serial):
            raise VirtboardError(
                f"--serial {shown(self.serial)} would listen to other computers, and who has the"
                " REPL has the board: name 127.0.0.1, as in tcp:127.0.0.1:4444,server=on"
            )
        if self.disk is not None:
            disks.prepare(self.disk)
            if self.icount:
                raise VirtboardError(
                    "a disk needs icount=False: it takes real time for its work, and in virtual"
                    " time the guest's waits for it are over at once"
                )
        if self.rate not in RATES:
            limits = f"{RATES[0]} to {RATES[-1]} Hz"
            raise VirtboardError(f"a rate of {self.rate} Hz does not exist: the card has {limits}")
        if self.feed is not None:
            if not self.files:
                raise VirtboardError("only a card with audio='files' hears a feed")
            if not Path(self.feed).is_file():
                raise VirtboardError(f"no feed at {self.feed}: it must be a file of raw samples")
        if self.outside:
            if not Path(self.device).is_socket():
                raise VirtboardError(
                    f"no sound device at {self.device}: `python -m virtsnd {self.device}` is one"
                )
            if self.icount:
                raise VirtboardError(
                    "a sound device of its own needs icount=False: it takes real time for its"
                    " work, and in virtual time the guest's waits for it are over at once"
                )
        elif self.records:
            empty_recording(self.wav)
        elif self.sound and self.audio != "none":
            drivers = audio_drivers(self.qemu)
            if self.driver not in drivers:
                has = ", ".join(drivers)
                raise VirtboardError(f"QEMU has no audio driver {self.driver!r}: it has {has}")

    def _check_rom(self):
        if self.rom is None:
            return
        if not Path(self.rom).is_file():
            raise VirtboardError(f"no ROM image at {self.rom}: `virtboard rom` packs one")
        try:
            check_image(read_file(self.rom, FLASH_BYTES))
        except OSError as error:
            raise VirtboardError(f"cannot read {self.rom}: {error.strerror}") from None
        except Damaged as problem:
            right = "`virtboard rom` packs one"
            raise VirtboardError(f"{self.rom} is no ROM image: {problem}; {right}") from None

    def run(self, timeout=60.0, echo=None, echo_errors=None):
        """Runs until the guest ends, with nothing on standard input.

        timeout: seconds of real time, None for no limit; BoardTimeout after that.
        echo, echo_errors: called with bytes of serial output and of QEMU's errors as they come.
        Returns a Result. VirtboardError if something is missing before the start.
        """
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
        pipes["pass_fds"] = self.inherited
        return self._run(timeout, echo, echo_errors, start_new_session=True, **pipes)

    def interact(self, timeout=None, echo_errors=None):
        """Gives this process's terminal to QEMU until it ends; for `terminal=True`.

        The terminal is put back as it was. Returns a Result, its output empty.
        """
        before = termios.tcgetattr(sys.stdin)
        try:
            return self._run(timeout, None, echo_errors)
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

    def _run(self, timeout, echo, echo_errors, **popen):
        self.check()
        if not self.files:
            return self._until_it_ends(timeout, echo, echo_errors, **popen)
        with alsa.files(self.feed) as (environment, played):
            popen["env"] = environment
            result = self._until_it_ends(timeout, echo, echo_errors, **popen)
            return replace(result, played=played.read_bytes())

    def _until_it_ends(self, timeout, echo, echo_errors, **popen):
        began = time.monotonic()
        late = False
        try:
            with started(self.command(), stderr=subprocess.PIPE, **popen) as process:
                output = Drain(process.stdout, echo)
                errors = Drain(process.stderr, echo_errors)
                try:
                    process.wait(timeout)
                except subprocess.TimeoutExpired:
                    late = True
        except OSError as error:
            reason = f"{error.filename}: {error.strerror}"
            raise VirtboardError(f"QEMU does not start: {reason}") from None
        finally:
            if self.records:
                finish_header(self.wav)
        seconds = time.monotonic() - began
        wav = Path(self.wav) if self.records else None
        said, complaints = output.text(), errors.text()
        status, failures = judge(process.returncode, complaints, self.files)
        result = Result(status, said, complaints, seconds, wav, tuple(failures))
        if late:
            raise BoardTimeout(timeout, result)
        return result


def judge(code, errors, hears=False):
    """(status, lines that say what failed) from QEMU's exit code and standard error.

    hears: whether the sound card is fed from a file.
    """
    failures = [
        f"{meaning}: {shown(line.strip())}"
        for line in errors.splitlines()
        for words, meaning in (COMPLAINTS | (alsa.COMPLAINTS if hears else {})).items()
        if words in line
    ]
    if code < 0:
        failures.append(f"QEMU was ended by {signal.Signals(-code).name}")
        code = 128 - code
    return code or (1 if failures else 0), failures


@cache
def audio_drivers(qemu):
    """Names of the audio drivers that this QEMU has."""
    command = [str(qemu), "-audiodev", "help"]
    listing = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    return [line.strip() for line in listing.splitlines() if line.strip() and ":" not in line]


def listens_to_others(serial):
    """Whether a -serial of QEMU would take connections from other computers."""
    kind, _, rest = serial.removeprefix("mon:").partition(":")
    address, *options = rest.split(",")
    if kind == "udp":
        host = address.partition("@")[2].rpartition(":")[0]
    elif kind in ("tcp", "telnet", "tn3270", "websocket"):
        if not any(option.startswith("server") for option in options):
            return False
        host = address.rpartition(":")[0]
    else:
        return False
    return not re.fullmatch(r"127(\.\d+){3}|localhost|\[?::1\]?", host)


def escaped(path):
    """A path as part of an option of QEMU, where a comma ends the value unless doubled."""
    return str(path).replace(",", ",,")
