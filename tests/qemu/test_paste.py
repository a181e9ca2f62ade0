# SPDX-License-Identifier: MIT
"""Ten thousand lines, faster than the board can take them: none is lost."""

import threading

import pytest
from console import CTRL_D, CTRL_E, PROMPT, console

LINES = 10_000
BUSY = b"import time; time.sleep_ms(500)\r"  # the board reads nothing meanwhile


@pytest.fixture
def board(firmware, tmp_path):
    with console(firmware, tmp_path) as board:
        board.until(PROMPT)
        yield board


def send(board, data):
    """Types bytes while somebody else reads what they lead to."""
    thread = threading.Thread(target=board.send, args=[data], daemon=True)
    thread.start()
    return thread


def test_pasted_at_the_prompt(board):
    lines = b"".join(b"n+=%d\r" % n for n in range(LINES))
    typing = send(board, BUSY + b"n=0\r" + lines + b"print('sum', n)\r")
    said = board.until(b"\r\nsum %d\r\n" % sum(range(LINES)))
    typing.join()
    assert [line.removeprefix(PROMPT) for line in said.split(b"\r\n")[2:-3]] == [
        b"n+=%d" % n for n in range(LINES)
    ]


def test_pasted_in_paste_mode(board):
    lines = b"".join(b"s+=%d\r" % n for n in range(LINES))
    typing = send(board, BUSY + CTRL_E + b"s=0\r" + lines + b"print('sum', s)\r" + CTRL_D)
    said = board.until(b"\r\nsum %d\r\n" % sum(range(LINES)))
    typing.join()
    echoed = said.split(b"\r\n=== ")[2:-2]
    assert echoed == [b"s+=%d" % n for n in range(LINES)]
