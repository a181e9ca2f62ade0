# SPDX-License-Identifier: MIT
"""A strict sound device of virtsnd in a thread, for who starts boards and looks into it."""

import threading
import time

from virtsnd.daemon import Daemon
from virtsnd.trace import Trace

PATIENCE = 20  # s that the device may take for anything


class Card:
    """A sound device at the socket `path`, served in a thread until close().

    options: those of virtsnd.SoundDevice. setup(device) is called in the thread, before each start
    of the device by a driver. breaches: names of the rules that drivers are going to break.

    device: the virtsnd device; while a board runs, touch it only by call(), or in setup().
    streams: those of the last driver that started it; lives: of every start, a list of streams.
    trace: all that happened, a line for each thing. said: lines that the device had for its user.
    breaches: what drivers did wrong, as virtsnd.Breach.
    """

    def __init__(self, path, setup=None, breaches=(), **options):
        self.path = path
        self.said = []
        self.trace = []
        self._expected = set(breaches)
        self._daemon = Daemon(path, options, setup, self.said.append)
        self.device = self._daemon.device
        self.device.trace = Trace(self.trace)
        self.breaches = self.device.breaches
        self._failure = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        try:
            self._daemon.serve()
        except BaseException as error:  # close() raises it
            self._failure = error
        finally:
            self._daemon.close()

    @property
    def lives(self):
        return self._daemon.lives

    @property
    def streams(self):
        return self.lives[-1]

    def add_memory(self, address, data):
        """The board has these bytes at a physical address, and QEMU does not share them."""
        self.call(self._daemon.memory.add, address, data)

    def machine(self):
        """What a virtboard.qemu.Machine has to be told of this card."""
        return {"device": self.path, "controls": len(self.device.config()) > 12}

    def call(self, function, *arguments):
        """Calls function(*arguments) in the device's thread. Returns what it returns."""
        if self._failure is not None:
            raise self._failure
        return self._daemon.call(function, *arguments)

    def settle(self):
        """Returns when no QEMU is connected and all that the last one did is done."""
        end = time.monotonic() + PATIENCE
        while self.call(lambda: self._daemon.session):
            if time.monotonic() > end:
                raise TimeoutError(f"the device is still connected after {PATIENCE} s")
            time.sleep(0.005)

    def close(self):
        """Ends the device. Raises what went wrong in its thread, and AssertionError for breaches.

        Those that were announced have to have happened, and no others.
        """
        if self._thread.is_alive():
            self._daemon.stop()
            self._thread.join(PATIENCE)
        if self._failure is not None:
            raise self._failure
        assert not self._thread.is_alive(), f"the device's thread does not end in {PATIENCE} s"
        broken = {breach.name for breach in self.breaches}
        told = "".join(f"\n  {breach}" for breach in self.breaches)
        assert broken == self._expected, f"want breaches of {self._expected or None}, had:{told}"
