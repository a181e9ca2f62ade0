# SPDX-License-Identifier: MIT
"""A child process whose pipes are always read and which has ended when its block is left."""

import signal
import subprocess
import threading
from contextlib import contextmanager

PATIENCE = 5  # seconds between asking a process to end and ending it
KEPT = 4 << 20  # bytes of the beginning, and of the end, of what a process says


@contextmanager
def started(command, **popen):
    """A running process; OSError if it cannot be started."""
    process = subprocess.Popen(command, **popen)
    try:
        yield process
    finally:
        end(process)


def end(process):
    """Ends a process that is still there: politely, which completes a recording, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                continue


class Drain:
    """Reads a pipe (or None) to its end in the background, so that its writer never waits.

    echo: called with bytes as they come; an OSError from it ends the echo, not the reading.
    Of a writer that does not stop, KEPT bytes of the beginning and of the end are kept.
    """

    def __init__(self, pipe, echo=None):
        self._first = bytearray()
        self._last = bytearray()
        self._lost = 0  # bytes between the two
        self._thread = None
        if pipe is not None:
            self._thread = threading.Thread(target=self._read, args=(pipe, echo), daemon=True)
            # A signal's handler that raises in the middle of start() would leave its lock held.
            # Signals are the main thread's, never this one's.
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
            try:
                self._thread.start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _read(self, pipe, echo):
        with pipe:
            for chunk in iter(lambda: pipe.read1(65536), b""):
                self._keep(chunk)
                try:
                    if echo is not None:
                        echo(chunk)
                except OSError:
                    echo = None

    def _keep(self, chunk):
        room = KEPT - len(self._first)
        self._first += chunk[:room]
        self._last += chunk[room:]
        if len(self._last) > 2 * KEPT:
            self._lost += len(self._last) - KEPT
            del self._last[:-KEPT]

    def text(self):
        """All that came and was kept, lines ended by \\n, once the writer has ended."""
        if self._thread is not None:
            self._thread.join(PATIENCE)
        lost = f"\n[{self._lost} bytes left out]\n".encode() if self._lost else b""
        said = self._first + lost + self._last
        return said.decode(errors="replace").replace("\r\n", "\n")
