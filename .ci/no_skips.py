"""Ends with a list if a JUnit file of pytest tells of skipped tests, or of none at all."""

import sys
from pathlib import Path
from xml.etree import ElementTree


def main(path: Path) -> None:
    """Read the file; skips of single tests, of whole modules and expected failures all count."""
    cases = list(ElementTree.parse(path).iter("testcase"))  # noqa: S314 - pytest wrote it a moment ago
    skipped = [
        f"{case.get('classname')}.{case.get('name')}: {element.get('message')}"
        for case in cases
        if (element := case.find("skipped")) is not None
    ]
    if not cases:
        sys.exit(f"No test ran, says {path.name}.")
    if skipped:
        sys.exit("\n".join([f"{len(skipped)} of {len(cases)} tests were skipped where none may be:", *skipped]))
    sys.stdout.write(f"{len(cases)} tests, none skipped.\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
