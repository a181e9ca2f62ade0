# SPDX-License-Identifier: MIT
"""What the machine's apt sources say: where the distribution's archive is, and who signs it."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from virtboard import VirtboardError

KEYRINGS = Path("/usr/share/keyrings")


class ToolsError(VirtboardError):
    """A tool is missing, will not do, or could not be fetched."""


class Unavailable(ToolsError):
    """This system's archive cannot give what is wanted: the user has to name it."""


class Entry(NamedTuple):
    """One address with its suites, from a line or a stanza of apt's sources."""

    uri: str
    suites: tuple
    components: tuple
    signed_by: str = ""
    check_valid_until: str = ""


class Suite(NamedTuple):
    """One suite to read; `kind` is deb (binary packages) or deb-src (sources)."""

    kind: str
    uri: str
    name: str
    components: tuple
    signed_by: str = ""
    check_valid_until: str = ""

    def stanza(self):
        """This suite in deb822 format, limited to the one index that is needed."""
        fields = {
            "Types": self.kind,
            "URIs": self.uri,
            "Suites": self.name,
            "Components": " ".join(self.components),
            "Targets": "Packages" if self.kind == "deb" else "Sources",
            "PDiffs": "no",
            "Signed-By": self.signed_by,
            "Check-Valid-Until": self.check_valid_until,
        }
        return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def parse_list(text):
    """Entries of a sources.list: lines of `deb [options] uri suite component...`."""
    entries = []
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if found:
            options, uri, suite, components = found.groups()
            options = {k.lower(): v for k, v in re.findall(r"([\w-]+)\+?=(\S+)", options or "")}
            signed, valid = options.get("signed-by", ""), options.get("check-valid-until", "")
            entries.append(Entry(uri, (suite,), tuple(components.split()), signed, valid))
    return entries


def parse_deb822(text):
    """Entries of a *.sources file: stanzas of `Field: value`, continued on indented lines."""
    entries = []
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n\s*\n", "\n".join(lines)):
        found = re.findall(r"^([\w-]+):(.*(?:\n[ \t].*)*)", stanza, re.M)
        fields = {name.lower(): value.strip() for name, value in found}
        types, uris, suites, components = (
            tuple(fields.get(name, "").split())
            for name in ("types", "uris", "suites", "components")
        )
        if "deb" in types and fields.get("enabled", "yes").lower() != "no":
            signed, valid = fields.get("signed-by", ""), fields.get("check-valid-until", "")
            entries += [Entry(uri, suites, components, signed, valid) for uri in uris]
    return entries


def machine_entries(etc=Path("/etc/apt")):
    """Every entry for binary packages in the machine's apt sources, in apt's order."""
    entries = []
    for part in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        parse = {".list": parse_list, ".sources": parse_deb822}.get(part.suffix)
        if parse and part.is_file():
            entries += parse(part.read_text(errors="replace"))
    return entries


def os_release(path=Path("/etc/os-release")):
    """The fields of os-release(5) as a dict, empty where there is no such file."""
    try:
        return dict(re.findall(r'^(\w+)="?(.*?)"?$', path.read_text(errors="replace"), re.M))
    except OSError:
        return {}


def distribution_suites(entries, release, keyrings=KEYRINGS):
    """The distribution's suites for this release, with its updates and security; the first is
    the release itself. Entries of third parties are left out.

    Raises Unavailable if no entry is the distribution's.
    """
    kin = [name for name in (release.get("ID"), *release.get("ID_LIKE", "").split()) if name]
    entries = [entry for entry in entries if _is_distributions(entry, kin)]
    base, mirror = _base(entries, release)
    keys = [key for name in kin for key in sorted(keyrings.glob(f"{name}-archive-keyring.*"))]
    keyring = str(keys[0]) if keys else ""
    suites = []
    for entry in entries:
        components = tuple(c for c in entry.components if c in ("main", "universe"))
        for name in entry.suites:
            wanted = name in (base, base + "-updates", base + "-security", base + "/updates")
            if wanted and (entry.uri == mirror.uri or "security" in entry.uri):
                signed = keyring or entry.signed_by
                suites.append(
                    Suite("deb", entry.uri, name, components, signed, entry.check_valid_until)
                )
    return sorted(dict.fromkeys(suites), key=lambda suite: suite.name != base)


def _is_distributions(entry, kin):
    """Whether the distribution's own keys sign this entry, as far as can be told from here."""
    keys, names = os.path.basename(entry.signed_by), {"debian", "ubuntu", *kin}
    known = "BEGIN PGP" in entry.signed_by or any(keys.startswith(f"{n}-archive") for n in names)
    inside = {"main", "universe"} & set(entry.components)
    return bool((known or not keys) and inside and not entry.uri.startswith("cdrom:"))


def _base(entries, release):
    """The name of the suite that is this release, and the entry that carries it."""
    codename = release.get("UBUNTU_CODENAME") or release.get("VERSION_CODENAME", "")
    for base in (codename, "stable", "testing", "unstable", "sid"):
        for entry in entries:
            if base in entry.suites and "main" in entry.components:
                return base, entry
    raise Unavailable("apt's sources name no archive of this system's own release")
