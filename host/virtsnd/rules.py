# SPDX-License-Identifier: MIT
"""What happens when a driver breaks a rule.

Rules have the names of the checklist that the project keeps of VirtIO 1.3: G status,
F features, I initialisation, M registers, Q queues, S sound.
"""

breaches = []  # all of them, for those that the driver itself swallowed


class Breach(AssertionError):
    """The driver broke a rule."""


def rule(kept, name, text):
    """Breach(name: text) unless the rule was kept."""
    if not kept:
        breach = Breach(f"{name}: {text}")
        breaches.append(breach)
        raise breach
