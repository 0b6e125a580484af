#!/usr/bin/env python3
"""Asks about every pin of constraints.txt whether it was yanked or is known to be vulnerable: run by `make audit`.

What could not be learned is counted as unknown and is no success: 0 all is well, 1 something was found, 2 something is not known.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version
from pip._internal.commands import create_command
from pip._internal.exceptions import PipError

ROOT = Path(__file__).resolve().parent.parent


def pins() -> list[tuple[str, Version]]:
    """All of them: the markers are left out, since a pin for another Python or system counts as well."""
    lines = (
        line.split("#")[0].strip()
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    )
    requirements = [Requirement(line) for line in lines if line]
    found = []
    for requirement in requirements:
        (pin,) = requirement.specifier
        found.append((canonicalize_name(requirement.name), Version(pin.version)))
    return found


def version_of(filename: str) -> Version | None:
    try:
        return (
            parse_wheel_filename(filename)[1]
            if filename.endswith(".whl")
            else parse_sdist_filename(filename)[1]
        )
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def audited(wanted: list[tuple[str, Version]]) -> tuple[dict, str]:
    """pip-audit's answers, vulnerabilities by pin, for those that its service knows; and what it says when it fails."""
    answers, complaint = {}, ""
    left = list(dict.fromkeys(wanted))
    while left and not complaint:
        # one version of a name at a time, which is what a requirements file may have
        batch = dict(reversed(left))
        left = [pin for pin in left if batch[pin[0]] != pin[1]]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "pins.txt")
            file.write_text("".join(f"{name}=={version}\n" for name, version in batch.items()))
            command = [
                "pip_audit",
                "-r",
                str(file),
                "--no-deps",
                "--disable-pip",
                "--progress-spinner",
                "off",
                "--format",
                "json",
            ]
            done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
        try:
            for answer in json.loads(done.stdout)["dependencies"]:
                if "skip_reason" not in answer:
                    answers[canonicalize_name(answer["name"]), Version(answer["version"])] = [
                        found["id"] for found in answer["vulns"]
                    ]
        except ValueError:
            complaint = (done.stderr.strip().splitlines() or ["no answer"])[-1]
    return answers, complaint


class Index:
    """The package index as pip sees it: its address, certificates and proxies are those that pip is configured to use."""

    def __init__(self) -> None:
        command = create_command("index")
        options, _ = command.parse_args([])
        self.simple = options.index_url.rstrip("/")
        self.session = command._build_session(options)
        self.failures = 0

    def page(self, url: str) -> dict:
        """Nothing for a page that is not there; after three failures in a row no more is asked, since each takes its time."""
        if self.failures == 3:
            return {}
        try:
            answer = self.session.get(
                url, headers={"Accept": "application/vnd.pypi.simple.v1+json, application/json"}
            )
            self.failures = 0
            return answer.json() if answer.ok else {}
        except (OSError, ValueError, PipError) as problem:  # requests' errors are OSErrors
            self.failures += 1
            print(
                f"The package index does not answer: {type(problem).__name__}"
                + " (not asked again)" * (self.failures == 3)
            )
            return {}

    def files(self, name: str) -> list[dict]:
        return self.page(f"{self.simple}/{name}/").get("files", [])

    def newest(self, name: str) -> tuple[Version | None, list[str]]:
        """A project's newest version and its vulnerabilities: the page of a single version is not there on every index."""
        project = self.page(f"{self.simple.removesuffix('/simple')}/pypi/{name}/json")
        if "vulnerabilities" not in project:
            return None, []
        return Version(project["info"]["version"]), [
            found["id"] for found in project["vulnerabilities"] if not found.get("withdrawn")
        ]


def main() -> int:
    wanted = pins()
    vulnerable, complaint = audited(wanted)
    if complaint:
        print(f"pip-audit failed: {complaint}")
    by_pip_audit = len(vulnerable)
    yanked = {}
    index = Index()
    for name in dict.fromkeys(name for name, _ in wanted):
        files = index.files(name)
        versions = [version for pinned, version in wanted if pinned == name]
        for version in versions:
            if found := [file for file in files if version_of(file["filename"]) == version]:
                yanked[name, version] = all(file.get("yanked") for file in found)
        if any((name, version) not in vulnerable for version in versions):
            newest, found = index.newest(name)
            if newest in versions:
                vulnerable.setdefault((name, newest), found)

    for name, version in wanted:
        notes = ["yanked"] if yanked.get((name, version)) else []
        notes += vulnerable.get((name, version), [])
        if notes:
            print(f"{name}=={version}: {', '.join(notes)}")
    unknown = [pin for pin in wanted if pin not in vulnerable]
    if unknown:
        print(
            "whether vulnerable is unknown: "
            + " ".join(f"{name}=={version}" for name, version in unknown)
        )
    missing = [pin for pin in wanted if pin not in yanked]
    if missing:
        print(
            "whether yanked is unknown: "
            + " ".join(f"{name}=={version}" for name, version in missing)
        )
    bad = sum(bool(found) for found in vulnerable.values())
    gone = sum(yanked.values())
    print(
        f"{len(wanted)} pins. Yanked: {gone}, unknown: {len(missing)}. Vulnerable: {bad}, unknown: {len(unknown)}.",
        end=" ",
    )
    print(
        f"Answered by pip-audit: {by_pip_audit}, by a project's own page: {len(vulnerable) - by_pip_audit}."
    )
    return 1 if bad or gone else 2 if unknown or missing else 0


if __name__ == "__main__":
    sys.exit(main())
