# SPDX-License-Identifier: MIT
"""The host side of the board: fetches its tools, starts QEMU and reads what the card played.

This module stays free of imports: `virtboard.tools` runs before anything is installed.
"""


class VirtboardError(Exception):
    """Something the caller can put right; its text is one line: what was wrong, what would be."""
