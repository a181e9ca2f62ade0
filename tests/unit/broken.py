# SPDX-License-Identifier: MIT
"""A device that breaks: what test_vsnd_recovery*.py share."""


class Broken:
    """Of a Rig: its device asks for a reset, takes nothing and gives nothing until it gets one.

    `lives` counts resets; heard(id) is what a stream played in all of them.
    """

    def __init__(self, rig):
        self.rig = rig
        self.sound = rig.sound
        self.lives = 0
        self.played = {}
        self.broken = False
        self._reset = rig.device.reset
        self._serve = rig.device.serve
        rig.device.reset = self.reset
        rig.device.serve = lambda index: self.broken or self._serve(index)

    def reset(self):
        self._keep()
        self.lives += 1
        self.broken = False
        self._reset()

    def _keep(self):
        for each in self.sound.streams:
            if each.info.direction == 0:
                self.played[each.id] = self.played.get(each.id, b"") + bytes(each.played)
                del each.played[:]

    def heard(self, id=0):
        self._keep()
        return self.played[id]

    def ask(self):
        self.broken = True
        for each in self.sound.streams:
            self.rig.clock.cancel(each.tick)
        self.rig.transport.need_reset()

    def ask_in(self, us):
        self.rig.clock.at(self.rig.clock.now + us, self.ask)

    def ask_at(self, name):
        """Ask instead of answering the next request of that name."""

        def instead(request, room):
            self.ask()
            return None

        self.sound.script[name].append(instead)
