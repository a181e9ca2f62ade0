# SPDX-License-Identifier: MIT
# Runs first after every reset. A ROM= image is already mounted, by mp_init().
import os

try:
    os.chdir("/rom")
except OSError:
    pass  # no ROM= was given
del os
