# SPDX-License-Identifier: MIT
"""Why MicroPython's tests were skipped: measured on the board, since run-tests.py does not say.

A test says SKIP itself, in a handler of an exception or under a condition. It is run again, so
changed that it says which. Tests that run-tests.py leaves out unasked do not say SKIP: for those
of the native emitters the board's answer to the feature check is taken.
"""

import ast

from boards import board
from mpremote.transport import TransportExecError
from mpremote.transport_serial import SerialTransport

NATIVE = ("native_", "viper_")
MARK = "SKIP because "
WHY = "why__"


def reasons(tree, image, tests, **options):
    """{test: what the board says} for tests (paths below the folder `tree`) that were skipped."""
    found = {}
    with board(image, **options) as pty:
        line = SerialTransport(pty.name)
        try:
            line.enter_raw_repl()
            native = _said(line, (tree / "feature_check" / "native_check.py").read_text())
            for test in tests:
                if test.rpartition("/")[2].startswith(NATIVE):
                    found[test] = native.splitlines()[-1]
                else:
                    found[test] = _reason(_said(line, _telling((tree / test).read_text())))
        finally:
            line.close()
    return found


def _said(line, program):
    """What a program prints, its exception included; it begins after a soft reset."""
    line.enter_raw_repl(soft_reset=True)
    try:
        said, error = line.exec_raw(program, timeout=30)
    except TransportExecError as failed:
        said, error = failed.args[1:3]
    return (said + error).decode(errors="replace").replace("\r\n", "\n")


def _reason(said):
    for line in said.splitlines():
        if line.startswith(MARK):
            return line.removeprefix(MARK)
    return "run-tests.py does not run it on a board"


def _telling(source):
    """The source of a test, changed so that it prints MARK and a reason instead of SKIP.

    It begins with the name for an exception: with the heap locked there may be no room for a new
    one, as in basics/nanbox_smallint.py.
    """
    tree = ast.parse(source)
    _Teller().visit(tree)
    return f"{WHY} = None\n{ast.unparse(ast.fix_missing_locations(tree))}"


class _Teller(ast.NodeTransformer):
    """Replaces print("SKIP"), by what surrounds it most closely."""

    reason = "'it says so'"  # source of an expression

    def _within(self, nodes, reason):
        outer, self.reason = self.reason, reason
        changed = [self.visit(node) for node in nodes]
        self.reason = outer
        return changed

    def visit_ExceptHandler(self, node):
        node.name = node.name or WHY
        node.type = node.type or ast.Name("BaseException", ast.Load())
        # Not with an f-string, whose quotes ast.unparse() may choose as MicroPython cannot read.
        reason = f"type({node.name}).__name__ + ': ' + str({node.name})"
        node.body = self._within(node.body, reason)
        return node

    def visit_If(self, node):
        condition = ast.unparse(node.test)
        node.body = self._within(node.body, repr(condition))
        node.orelse = self._within(node.orelse, repr(f"not ({condition})"))
        return node

    def visit_Expr(self, node):
        if ast.unparse(node) == "print('SKIP')":
            return ast.parse(f"print({MARK!r} + {self.reason})").body[0]
        return self.generic_visit(node)
