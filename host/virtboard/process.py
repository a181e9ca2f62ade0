# SPDX-License-Identifier: MIT
"""A child process whose pipes are always read and which has ended when its block is left."""

import signal
import subprocess
import threading
from contextlib import contextmanager

PATIENCE = 5  # seconds between asking a process to end and ending it


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
    """

    def __init__(self, pipe, echo=None):
        self._data = bytearray()
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
                self._data += chunk
                try:
                    if echo is not None:
                        echo(chunk)
                except OSError:
                    echo = None

    def text(self):
        """All that came, lines ended by \\n, once the writer has ended."""
        if self._thread is not None:
            self._thread.join(PATIENCE)
        return self._data.decode(errors="replace").replace("\r\n", "\n")
