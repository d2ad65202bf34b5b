"""Tries the hostile corpus on the sandbox of this machine, under whatever uid it is started.

One line an attack, then a summary. Ends with 0 if nothing was found, 1 if anything was, 3 if the sandbox refuses to run
programs here.
"""

import argparse
import ctypes
import json
import os
import sys
from pathlib import Path

from executor.engines.base import EngineError
from executor.engines.sandbox import SandboxEngine
from tests.executor.hostile.findings import Finding
from tests.executor.hostile.harness import ATTACKS, Trial, harness_on
from tests.executor.hostile.header import Canary, load

_REFUSED = 3
_PR_SET_CHILD_SUBREAPER = 36
_ESCAPES = {Canary.NETWORK, Canary.SECRETS, Canary.ESCAPED}


def main(argv: list[str]) -> int:
    """Try the attacks and say what came of it; the answer is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.executor.hostile", description=__doc__)
    parser.add_argument("--attack", action="append", metavar="NAME", help="only this one; may be given several times")
    parser.add_argument("--concurrency", type=int, default=1, metavar="N", help="how many at a time")
    parser.add_argument(
        "--kit", type=Path, metavar="FOLDER", help="what sandbox_setup made: then with the native runner"
    )
    parser.add_argument("--json", action="store_true", help="a JSON document instead of lines")
    options = parser.parse_args(argv)
    attacks = [attack for attack in load(ATTACKS) if not options.attack or attack.name in options.attack]
    if unknown := set(options.attack or ()) - {attack.name for attack in attacks}:
        parser.error(f"no such attack: {', '.join(sorted(unknown))}")
    # What an engine should lose track of comes to us, and is counted, instead of vanishing among the machine's own.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    engine = SandboxEngine(kit_directory=options.kit)
    health = engine.health()
    trials: list[Trial] = []

    def done(trial: Trial) -> None:
        trials.append(trial)
        if not options.json:
            sys.stdout.write(_line(trial) + "\n")
            sys.stdout.flush()

    if not health.is_ready:
        return _refuse(health.detail, is_json=options.json)
    try:
        with harness_on(engine, options.concurrency) as harness:
            offered = [attack for attack in attacks if harness.offers(attack)]
            findings = harness.try_all(offered, options.concurrency, done)
    except EngineError as error:
        return _refuse(str(error), is_json=options.json)
    everything = [*findings, *(finding for trial in trials for finding in trial.findings)]
    if options.json:
        not_offered = sorted(attack.name for attack in set(attacks) - set(offered))
        sys.stdout.write(json.dumps(_document(health.tier, trials, findings, everything, not_offered), indent=1) + "\n")
    else:
        sys.stdout.write("".join(f"  {finding.canary}: {finding.detail}\n" for finding in findings))
        sys.stdout.write(_summary(len(trials), everything) + "\n")
    return 1 if everything or not trials else 0


def _refuse(detail: str, *, is_json: bool) -> int:
    sys.stdout.write(json.dumps({"refused": detail, "uid": os.geteuid()}) if is_json else f"refused: {detail}")
    sys.stdout.write("\n")
    return _REFUSED


def _line(trial: Trial) -> str:
    verdicts = " ".join(sorted(set(trial.verdicts)))
    found = "".join(f"\n  {finding.canary}: {finding.detail}" for finding in trial.findings)
    return f"{trial.attack.id} {trial.attack.name}: {verdicts}, {trial.elapsed_s:.2f} s{found}"


def _summary(count: int, findings: list[Finding]) -> str:
    escapes = sum(finding.canary in _ESCAPES for finding in findings)
    residue = sum(finding.canary is Canary.RESIDUE for finding in findings)
    leftovers = sum(finding.canary is Canary.LEFTOVERS for finding in findings)
    others = len(findings) - escapes - residue - leftovers
    more = f", {others} of other kinds" if others else ""
    return f"{count} attacks, {escapes} escapes, {residue} residue, {leftovers} leftovers{more}"


def _document(
    tier: str, trials: list[Trial], findings: list[Finding], everything: list[Finding], not_offered: list[str]
) -> dict[str, object]:
    return {
        "tier": tier,
        "uid": os.geteuid(),
        "attacks": [
            {
                "name": trial.attack.name,
                "id": trial.attack.id,
                "tier": trial.tier,
                "verdicts": sorted(set(trial.verdicts)),
                "elapsed_s": round(trial.elapsed_s, 3),
                "findings": _told(list(trial.findings)),
            }
            for trial in trials
        ],
        "not_offered": not_offered,
        "findings": _told(findings),
        "summary": _summary(len(trials), everything),
    }


def _told(findings: list[Finding]) -> list[dict[str, str]]:
    return [{"canary": finding.canary.value, "detail": finding.detail} for finding in findings]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
