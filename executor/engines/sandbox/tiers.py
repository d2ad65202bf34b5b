"""Which way of containing programs this machine has: the best tier that holds, found by trying the real thing.

A  bubblewrap, and in it fresh namespaces, filters and limits for each run
B  a bubblewrap box for each run, where namespaces inside a box are refused
C  Landlock, filters and limits around a single process, where there are no namespaces at all
D  limits only, for programs that are trusted like our own; never without being asked for by name
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from executor.engines.base import EngineUnavailable, Toolchain
from executor.engines.sandbox import doctor
from executor.engines.sandbox.box import Box, BoxPlan
from executor.engines.sandbox.flat import FlatHost
from executor.engines.sandbox.host import Host

CONTAINING_TIERS = "ABC"
DESCRIPTIONS = {
    "A": "bubblewrap with namespaces and a filter for each run",
    "B": "a bubblewrap box for each run",
    "C": "Landlock, filters and limits around one process; languages that need no compiler and no second process",
    "D": "limits only: every program is trusted like our own",
}
OpenBox = Callable[[Host, BoxPlan], AbstractContextManager[Box]]

logger = logging.getLogger("assay.sandbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A host of the best tier that holds, and why each better one does not, with what would help."""

    host: Host
    refused: Mapping[str, str]

    @property
    def detail(self) -> str:
        """A sentence for operators."""
        return "; ".join([DESCRIPTIONS[self.host.tier], *_reasons(self.refused)])


def find(tiers: str, *, uid_for_root: int, open_box: OpenBox) -> Finding:
    """Try these tiers, best first, and say in the log which one it is.

    Raises:
        EngineUnavailable: none of them holds; the message names what is missing and what helps.
        NotProven: it cannot be told now. A lower tier is not taken for that.
    """
    refused: dict[str, str] = {}
    for tier in sorted(tiers):
        try:
            host = _prove(tier, uid_for_root, open_box)
        except doctor.NotProven:
            raise
        except EngineUnavailable as error:
            refused[tier] = str(error)
            continue
        finding = Finding(host=host, refused=refused)
        logger.log(
            logging.INFO if tier == "A" else logging.WARNING, "Programs are held by tier %s: %s", tier, finding.detail
        )
        return finding
    raise EngineUnavailable("; ".join([*_reasons(refused), "or use EXECUTOR_ENGINE=judge0"]))


def not_offered(tier: str, toolchain: Toolchain) -> str | None:
    """None where programs of this language can run in the tier, otherwise why not."""
    if tier == "C" and (toolchain.compile_argv or toolchain.needs_processes):
        needed = "a compiler" if toolchain.compile_argv else "processes of its own"
        return f"{toolchain.language} needs {needed}, which tier C cannot hold: see manage.py sandbox_doctor"
    return None


def _prove(tier: str, uid_for_root: int, open_box: OpenBox) -> Host:
    host: Host
    if tier == "A":
        host = Host.found(uid_for_root=uid_for_root)
    else:
        host = replace(FlatHost.found(uid_for_root=uid_for_root, needs_bubblewrap=tier == "B"), tier=tier)
    doctor.prove(lambda plan: open_box(host, plan), tier=tier)
    return host


def _reasons(refused: Mapping[str, str]) -> list[str]:
    """One sentence for each reason, with the tiers that it rules out."""
    by_reason: dict[str, str] = {}
    for tier, reason in refused.items():
        by_reason[reason] = by_reason.get(reason, "") + tier
    return [f"not tier {' or '.join(tiers)}: {reason}" for reason, tiers in by_reason.items()]
