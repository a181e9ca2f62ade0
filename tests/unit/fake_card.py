# SPDX-License-Identifier: MIT
"""A card that answers control requests from a list, for the modules above Card.request()."""

import errno
from types import SimpleNamespace

BAD_MSG = OSError(errno.EINVAL, "BAD_MSG")
NOT_SUPP = OSError(errno.EOPNOTSUPP, "NOT_SUPP")
IO_ERR = OSError(errno.EIO, "IO_ERR")


def hexed(text):
    return bytes.fromhex(text)


class FakeCard:
    """`answers` are what follows the status OK, bytes, or an error to raise; first come, first
    served. `sent` are the requests, `rooms` the rooms for their answers."""

    def __init__(self, *answers, features=1):
        self.answers = list(answers)
        self.sent = []
        self.rooms = []
        self.device = SimpleNamespace(features=features)

    def request(self, message, response_bytes=0, at_least=None):
        self.sent.append(bytes(message))
        self.rooms.append(response_bytes)
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        assert len(answer) <= response_bytes
        if len(answer) < (response_bytes if at_least is None else at_least):
            raise OSError(errno.EIO, "%d bytes answered" % len(answer))
        return answer

    def forget(self, *answers):
        """Start anew with these answers; the old ones have all been given."""
        assert not self.answers
        self.answers = list(answers)
        self.sent.clear()
        self.rooms.clear()
