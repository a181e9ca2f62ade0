# SPDX-License-Identifier: MIT
"""Jacks: what they are, whether something is plugged in, and remapping (VirtIO 1.3, 5.14.6.4)."""

from .card import Card

REQUESTS: dict[int, str]
def jack_remap(jack_id: int, association: int, sequence: int) -> bytes:
    """Change what a jack belongs to, and its place there; 0..15 both."""

class Jack:
    """What the device says about jack `id`; `connected` (bool) follows its events.

    features, hda_reg_defconf and hda_reg_caps are the numbers of the record. The properties say
    the same in words of the HDA specification.
    """

    id: int
    hda_fn_nid: int
    features: int
    hda_reg_defconf: int
    hda_reg_caps: int
    connected: bool
    def __init__(self, card: Card, id: int, row: bytes) -> None: ...
    def refresh(self) -> None:
        """Ask the device for the record again. OSError as card.request()."""
    @property
    def connectivity(self) -> str:
        """One of "jack", "none", "fixed", "both"."""
    @property
    def location(self) -> str:
        """As in "external front"."""
    @property
    def default_device(self) -> str:
        """As in "line out", "speaker", "HP out", "mic in"."""
    @property
    def connection_type(self) -> str:
        """As in '1/8"', "RCA", "optical"."""
    @property
    def colour(self) -> str:
        """As in "green"."""
    @property
    def association(self) -> int:
        """Jacks with the same number belong together. 0..15."""
    @property
    def sequence(self) -> int:
        """The place within the association. 0..15."""
    @property
    def capabilities(self) -> tuple[str, ...]:
        """A tuple of words, as in ("presence detect", "output")."""
    @property
    def can_remap(self) -> bool:
        """Whether the device offers remap()."""
    def remap(self, association: int, sequence: int) -> None:
        """JACK_REMAP: change association and sequence, 0..15 both (5.14.6.4.2).

        OSError(EPERM) if the jack cannot be remapped and ValueError for other numbers, before
        anything is sent; OSError as card.request(). The properties follow; refresh() asks the
        device what it made of it.
        """

def query(card: Card, total: int) -> tuple[Jack, ...]:
    """Ask for `total` jacks; return a tuple of Jack.

    Empty if the device does not know JACK_INFO. OSError as card.request(), and EIO if the
    device claims more than 256 jacks.
    """
