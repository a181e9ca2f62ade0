# SPDX-License-Identifier: MIT
"""The RAM disk: the root directory of a board without a disk."""

from console import CTRL_A, CTRL_B, CTRL_D, PROMPT, console


def said(board, program, **options):
    """What a program prints, as lines."""
    result = board.run(program, **options)
    assert result.status == 0, result.output
    return result.output.splitlines()


def test_it_is_the_root(board):
    program = """
        import os, sys, vfs
        print([path for _, path in vfs.mount()])
        os.chdir("/")
        print(os.listdir(), os.getcwd(), sys.path)
        open("/a.txt", "w").close()
        os.mkdir("lib")
        print(sorted(os.listdir("/")))
    """
    assert said(board, program) == [
        "['/rom', '/']",
        "['rom'] / ['', '.frozen', '/rom', '/rom/lib', '/lib']",
        "['a.txt', 'lib', 'rom']",
    ]


def test_what_is_written_is_there(board):
    program = """
        import os
        data = bytes(range(256)) * 300
        with open("/data.bin", "wb") as f:
            print(f.write(data))
        with open("/data.bin", "rb") as f:
            print(f.read() == data, os.stat("/data.bin")[6])
        os.rename("/data.bin", "/A name that is longer than 8.3.bin")
        print(os.listdir("/"))
        os.remove("/A name that is longer than 8.3.bin")
        print(os.listdir("/"))
    """
    assert said(board, program) == [
        "76800", "True 76800", "['rom', 'A name that is longer than 8.3.bin']", "['rom']",
    ]


def test_it_takes_a_part_of_ram(board):
    program = "import os; s = os.statvfs('/'); print(s[0] * s[2] >> 20)"
    assert said(board, program) == ["3"]  # of 4 MiB: FAT has tables
    assert said(board, program, memory="512M") == ["15"]


def test_it_is_full_some_day(board):
    program = """
        import os, errno
        n = 0
        try:
            with open("/all", "wb") as f:
                while True: n += f.write(bytes(65536))
        except OSError as e:
            print(e.errno == errno.ENOSPC, n > 3 << 20)
        os.remove("/all")
        print(os.statvfs("/")[3] == os.statvfs("/")[2])
    """
    assert said(board, program) == ["True True", "True"]


def test_a_package_in_lib(board):
    program = """
        import os
        os.mkdir("/lib"); os.mkdir("/lib/pack")
        with open("/lib/pack/__init__.py", "w") as f: f.write("from .inner import x")
        with open("/lib/pack/inner.py", "w") as f: f.write("x = 42")
        import pack
        print(pack.x, pack.__path__)
    """
    assert said(board, program) == ["42 /lib/pack"]


def test_the_time_of_a_file(board):
    program = """
        import os, time
        open("/x", "w").close()
        print(0 <= time.time() - os.stat("/x")[8] <= 2)
    """
    assert said(board, program) == ["True"]


def test_a_forgotten_file_is_closed_by_the_collector(board):
    program = """
        import gc
        def write(n): open("/x%d" % n, "w").write("text" * n)
        for n in range(20): write(n)
        gc.collect()
        print([n for n in range(19) if open("/x%d" % n).read() != "text" * n])
    """
    assert said(board, program) == ["[]"]  # of the last one there may be a trace on a stack


def test_it_survives_resets(firmware, tmp_path):
    with console(firmware, tmp_path) as board:
        board.until(PROMPT)
        board.run("f = open('x', 'w'); f.write('kept'); f.close()")
        board.soft_reboot()
        assert board.run("open('x').read()") == "'kept'"
        board.send(b"import machine; machine.reset()\r")
        board.until(PROMPT)
        assert board.run("open('/x').read()") == "'kept'"
        board.run("f = open('y', 'w'); f.write('not closed')")
        board.soft_reboot()
        assert board.run("open('y').read()") == "'not closed'"


def test_programs_of_the_disk(firmware, tmp_path):
    with console(firmware, tmp_path, append="") as board:
        board.until(PROMPT)
        board.run("f = open('boot.py', 'w'); f.write('print(\"boot\"); x = 1'); f.close()")
        board.run("f = open('main.py', 'w'); f.write('print(\"main\", x + 1)'); f.close()")
        board.send(CTRL_D)
        assert b"soft reboot\r\nboot\r\nmain 2\r\n" in board.until(PROMPT)
        board.send(b"import machine; machine.reset()\r")
        assert b"\r\nboot\r\nmain 2\r\n" in board.until(PROMPT)
        # From the raw REPL only boot.py runs: who asks for that brings a program of his own.
        board.send(CTRL_A)
        board.until(b"raw REPL; CTRL-B to exit\r\n>")
        board.send(CTRL_D)
        assert b"soft reboot\r\nboot\r\n" in (text := board.until(b"raw REPL; CTRL-B to exit\r\n"))
        assert b"main" not in text
        board.send(CTRL_B)
        board.until(PROMPT)


def test_programs_of_the_rom_come_first(board):
    files = {"boot.py": "import os; print('boot', os.getcwd()); open('/main.py', 'w').close()"}
    program = "import os; print('main', os.getcwd(), os.listdir('/'))"
    assert said(board, program, files=files) == ["boot /rom", "main /rom ['rom', 'main.py']"]
