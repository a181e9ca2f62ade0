# SPDX-License-Identifier: MIT
"""Modules of frozen packages (ports/riscv/import.c) come as MicroPython's own import has them."""


def said(board, program=None, **options):
    """The lines that a program prints that runs to its end."""
    result = board.run(program, **options)
    assert result.status == 0, result.output
    return result.output.splitlines()


def test_what_a_module_of_a_package_is(board):
    lines = said(board, """
        import sys, vsnd
        from vsnd import aio                    # not needed by vsnd itself
        import vsnd.tlv
        print(vsnd.__name__, vsnd.__path__, vsnd.__file__)
        for module in (vsnd.pcm, aio, vsnd.tlv):
            print(module.__name__, module.__file__, sys.modules[module.__name__] is module)
            name = module.__name__.split(".")[1]
            print(getattr(vsnd, name) is module, hasattr(module, "__path__"))
        from vsnd import pcm
        print(pcm is vsnd.pcm, __name__)
    """)
    assert lines == [
        "vsnd .frozen/vsnd vsnd/__init__.py",
        "vsnd.pcm vsnd/pcm.py True",
        "True False",
        "vsnd.aio vsnd/aio.py True",
        "True False",
        "vsnd.tlv vsnd/tlv.py True",
        "True False",
        "True __main__",
    ]


def test_a_module_that_fails_is_not_loaded(board):
    lines = said(board, """
        import sys, vsnd
        sys.modules["asyncio"] = None           # what vsnd.aio wants
        for _ in range(2):
            try:
                from vsnd import aio
            except Exception as error:
                there = "vsnd.aio" in sys.modules, hasattr(vsnd, "aio")
                print(type(error).__name__, there, __name__)
        del sys.modules["asyncio"]
        from vsnd import aio
        print(aio)
    """)
    assert lines == [
        "ImportError (False, False) __main__",
        "ImportError (False, False) __main__",
        "<module 'vsnd.aio' from 'vsnd/aio.py'>",
    ]


def test_what_is_not_there(board):
    lines = said(board, """
        for line in ("import vsnd.nothing", "from vsnd import nothing",
                     "from vsnd.pcm import nothing", "import vsnd.pcm.nothing",
                     "from vsnd.pcm.nothing import x", "from .x import y",
                     "import " + ".".join(["vsnd"] * 40), "from vsnd import " + "x" * 200):
            try:
                exec(line)
            except ImportError as error:
                print(error)
    """)
    assert lines == [
        "no module named 'vsnd.nothing'",
        "no module named 'vsnd.nothing'",
        "can't import name nothing",
        "no module named 'vsnd.pcm.nothing'",
        "no module named 'vsnd.pcm.nothing'",
        "can't perform relative import",
        "no module named 'vsnd.vsnd'",
        f"no module named 'vsnd.{'x' * 200}'",
    ]


def test_a_package_of_the_users(board):
    files = {
        "pack/__init__.py": b"from .one import name\nfrom . import two\n",
        "pack/one.py": b"from .sub.deep import name\n",
        "pack/two.py": b"from . import one\nname = one.name\n",
        "pack/sub/__init__.py": b"",
        "pack/sub/deep.py": b"from .. import one\nname = one.__name__ + __name__\n",
        "vsnd_more/extra.py": b"here = __file__\n",
        "main.py": b"""
import pack
print(pack.name, pack.two.name, pack.sub.deep.__file__)
import vsnd
vsnd.__path__ = "vsnd_more"                 # from now on its modules come from there
from vsnd import extra
print(extra.here, extra.__name__)
try:
    from vsnd import aio
except ImportError as error:
    print(error)
""",
    }
    lines = said(board, files=files)
    assert lines == [
        "pack.onepack.sub.deep pack.onepack.sub.deep pack/sub/deep.py",
        "vsnd_more/extra.py vsnd.extra",
        "no module named 'vsnd.aio'",
    ]
