# SPDX-License-Identifier: MIT
"""What docs/machine.md and docs/virt.md type at the prompt gives what they say."""

import re

import pytest
from console import PROMPT, console
from virtboard import tools


def examples(name):
    """(statement, what it prints) of each example in a page, indented as it is there."""
    text = (tools.ROOT / "docs" / name).read_text()
    prompts = re.finditer(r"    >>> (.*\n(?:    \.\.\. .*\n)*)((?:    (?!>>>).*\n)*)", text)
    return [
        (each[1].replace("    ... ", ""), re.sub(r"^    ", "", each[2], flags=re.M).strip())
        for each in prompts
    ]


@pytest.mark.parametrize("name, least", [("machine.md", 10), ("virt.md", 5)])
def test_the_examples(firmware, tmp_path, name, least):
    found = examples(name)
    assert len(found) >= least
    # Virtual time: what is due in 105 ms does not depend on this computer.
    with console(firmware, tmp_path, icount=True) as repl:
        repl.until(PROMPT)
        for statement, output in found:
            if statement.count("\n") > 1:
                said = repl.paste(statement).strip()
            else:
                said = repl.run(statement.removesuffix("\n"))
            assert said == output, statement
