# SPDX-License-Identifier: MIT
"""As much of unittest as MicroPython's own tests use. It runs on the board, from /rom.

    class Test(unittest.TestCase):
        def test_it(self):
            self.assertEqual(1 + 1, 2)

    unittest.main()

The last four lines that main() prints are what tests/run-tests.py reads.
"""

import sys


class SkipTest(Exception):
    """Raised to skip the test that runs; its argument is the reason."""


class _Raises:
    def __init__(self, expected):
        self.expected = expected
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is None:
            raise AssertionError(f"{self.expected} was not raised")
        self.exception = value
        return issubclass(kind, self.expected)


class TestCase:
    """A class whose methods named test* are run, each between setUp() and tearDown()."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        pass

    def tearDown(self):
        pass

    def fail(self, msg=""):
        raise AssertionError(msg)

    def skipTest(self, reason):
        raise SkipTest(reason)

    def assertTrue(self, x, msg=""):
        if not x:
            self.fail(msg or f"{x!r} is not true")

    def assertFalse(self, x, msg=""):
        self.assertTrue(not x, msg or f"{x!r} is not false")

    def assertEqual(self, x, y, msg=""):
        self.assertTrue(x == y, msg or f"{x!r} is not equal to {y!r}")

    def assertNotEqual(self, x, y, msg=""):
        self.assertTrue(x != y, msg or f"{x!r} is equal to {y!r}")

    def assertIs(self, x, y, msg=""):
        self.assertTrue(x is y, msg or f"{x!r} is not {y!r}")

    def assertIsNone(self, x, msg=""):
        self.assertIs(x, None, msg)

    def assertIn(self, x, y, msg=""):
        self.assertTrue(x in y, msg or f"{x!r} is not in {y!r}")

    def assertIsInstance(self, x, y, msg=""):
        self.assertTrue(isinstance(x, y), msg or f"{x!r} is not an instance of {y!r}")

    def assertRaises(self, expected, function=None, *args, **kwargs):
        """A context, or with a function a call, that must raise `expected`."""
        context = _Raises(expected)
        if function is None:
            return context
        with context:
            function(*args, **kwargs)


def skipIf(condition, reason):
    """Decorates a method: it is skipped if `condition` is true."""

    def decorate(function):
        def skipped(self):
            raise SkipTest(reason)

        return skipped if condition else function

    return decorate


def skipUnless(condition, reason):
    """Decorates a method: it is skipped if `condition` is false."""
    return skipIf(not condition, reason)


def skip(reason):
    """Decorates a method that is always skipped."""
    return skipIf(True, reason)


def _outcome(case, method):
    try:
        case.setUp()
        try:
            method()
        finally:
            case.tearDown()
    except SkipTest as reason:
        return f"skipped: {reason}"
    except AssertionError as error:
        sys.print_exception(error)
        return "FAIL"
    except Exception as error:
        sys.print_exception(error)
        return "ERROR"
    return "ok"


def main(module="__main__"):
    """Runs every TestCase of a module (its name, or itself) and prints how many failed."""
    if isinstance(module, str):
        module = __import__(module)
    outcomes = []
    for name in dir(module):
        kind = getattr(module, name)
        if isinstance(kind, type) and issubclass(kind, TestCase) and kind is not TestCase:
            case = kind()
            kind.setUpClass()
            for test in dir(case):
                if test.startswith("test"):
                    outcome = _outcome(case, getattr(case, test))
                    print(f"{test} ({name}) ... {outcome}")
                    outcomes.append(outcome)
            kind.tearDownClass()
    failures, errors = outcomes.count("FAIL"), outcomes.count("ERROR")
    skipped = len(outcomes) - outcomes.count("ok") - failures - errors
    print("-" * 70)
    print(f"Ran {len(outcomes)} tests\n")
    if failures or errors:
        print(f"FAILED (failures={failures}, errors={errors})")
    else:
        print("OK" + (f" (skipped={skipped})" if skipped else ""))
