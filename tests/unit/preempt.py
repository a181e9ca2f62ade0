# SPDX-License-Identifier: MIT
"""A scheduled function that comes in between, as in MicroPython: after any jump of the bytecode.

MicroPython looks for scheduled functions after each jump (py/vm.c), so they may run between any
two statements with a condition or a loop between them. CPython's bytecode jumps at the same
places, near enough.
"""

import dis
import sys

JUMPS = {op for op, name in enumerate(dis.opname) if "JUMP" in name}


class Preempt:
    """Run program(), and call() at the jump number `at` that it makes in modules/.

    `jumps` tells how many there were up to that one, `where` where it was. After it nothing is
    traced any more, which takes ten times as long.
    """

    def __init__(self, board, call, at):
        self.board = board
        self.call = call
        self.at = at
        self.jumps = 0
        self.where = None
        self._jumped = {}

    def run(self, program):
        sys.settrace(self._enter)
        try:
            return program()
        finally:
            sys.settrace(None)

    def _enter(self, frame, event, argument):
        if "/modules/" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._trace

    def _trace(self, frame, event, argument):
        if event == "opcode":
            if self._jumped.get(frame):
                self._jump(frame)
            self._jumped[frame] = frame.f_code.co_code[frame.f_lasti] in JUMPS
        elif event == "return":
            self._jumped.pop(frame, None)
        return self._trace

    def _jump(self, frame):
        if self.board._locked or self.board._locks:
            return  # it is a scheduled function itself, or in a `with virt.lock`
        if self.jumps == self.at:
            self.where = f"{frame.f_code.co_name}:{frame.f_lineno}"
            sys.settrace(None)
            self.board._locked = True
            try:
                self.call()
            finally:
                self.board._locked = False
        self.jumps += 1


class AtSleep(Preempt):
    """The same, at the look number `at` for scheduled functions that something asleep makes.

    Each sleep looks when it begins, and after everything that wakes it; within virt.wait16() the
    `with virt.lock` is left.
    """

    def run(self, program):
        board = self.board
        dispatch = board._dispatch

        def look():
            ran = dispatch()
            if board._locked or board._locks:
                return ran
            self.jumps += 1
            if self.jumps - 1 != self.at:
                return ran
            self.where = "asleep"
            board._locked = True
            try:
                self.call()
            finally:
                board._locked = False
            return True

        board._dispatch = look
        try:
            return program()
        finally:
            del board._dispatch
