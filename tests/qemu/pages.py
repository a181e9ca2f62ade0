# SPDX-License-Identifier: MIT
"""The programs in the pages of docs/, for the tests that run them."""

import re

from virtboard import tools


def programs(page):
    """(heading, program) of each block of Python in a page, in its order."""
    found, heading = [], None
    text = (tools.ROOT / "docs" / page).read_text()
    for title, block in re.findall(r"^#+ (.*)|^```python.*\n((?s:.*?))```", text, re.MULTILINE):
        if title:
            heading = title
        else:
            found.append((heading, block))
    return found


def said(program):
    """What a program has to print by its own account: the comment behind each print()."""
    return re.findall(r"^ *print\(.*\)  # (.*)$", program, re.MULTILINE)
