"""What is put around the product in processes that are to be killed: points to die at, and records of what was done.

Nothing of this is in the product. `install` is called once, by `tests.reliability.web` and `tests.reliability.judging`,
after Django is set up. The environment names the directory of the run, and the protection a control leaves out.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.reliability.points import KillOrders
from tests.reliability.records import Records

RUN_DIRECTORY = "RELIABILITY_RUN"
WITHOUT = "RELIABILITY_WITHOUT"
EVENTS_FILE = "events.jsonl"
ORDERS_DIRECTORY = "orders"
HOSTED = ("config", "executor")

Call = Callable[..., Any]


def orders() -> KillOrders:
    """The orders of this run."""
    return KillOrders(Path(os.environ[RUN_DIRECTORY]) / ORDERS_DIRECTORY)


def is_without(protection: str) -> bool:
    """Whether this run is a control that leaves this protection out."""
    return os.environ.get(WITHOUT) == protection


def install() -> None:
    """Set the points that everybody may pass. A function that is not where it is looked for fails the start."""
    from django.db import transaction
    from django.db.models.signals import post_save

    from executor.engines.sandbox import SandboxEngine
    from executor.models import Judgement
    from executor.queue import claims
    from executor.services.code_executor import CodeExecutorService
    from executor.signals import submission_judged
    from tests.reliability import weakened

    events = Records(Path(os.environ[RUN_DIRECTORY]) / EVENTS_FILE)
    given = orders()
    pass_by = given.pass_by
    weakened.install(os.environ.get(WITHOUT, ""))

    def note(event: str, **fields: object) -> None:
        events.add(event, pid=os.getpid(), **fields)

    def judgement_saved(created: bool, **kwargs: Any) -> None:
        if created:
            pass_by("submit_inside")
            transaction.on_commit(partial(pass_by, "submit_committed"))

    def judged(judgement_id: int, **kwargs: Any) -> None:
        pass_by("applying")
        transaction.on_commit(partial(applied, judgement_id))

    def applied(judgement_id: int) -> None:
        note("applied", judgement=judgement_id)
        pass_by("applied")

    post_save.connect(judgement_saved, sender=Judgement, weak=False)
    submission_judged.connect(judged, weak=False)

    def claim_next(original: Call, *args: Any, **kwargs: Any) -> Any:
        claim = original(*args, **kwargs)
        given.spare(claim is not None and claim.is_suspect)
        if claim is not None:
            note("claimed", judgement=claim.judgement_id)
            pass_by("claimed")
        return claim

    def claims_renew(original: Call, held: Any, *args: Any, **kwargs: Any) -> Any:
        if held:
            pass_by("renewing")
        return original(held, *args, **kwargs)

    def run_tests(original: Call, *args: Any, **kwargs: Any) -> Any:
        outcome = original(*args, **kwargs)
        pass_by("ran")
        return outcome

    # By its name in the module: a control may have replaced it already.
    replace_everywhere(claims.claim_next, claim_next)
    replace_everywhere(claims.claims_renew, claims_renew)
    _replace_method(CodeExecutorService, "run_all_test_cases", run_tests)

    def run(original: Call, engine: Any, request: Any, on_result: Any = None) -> Any:
        def told(index: int, result: Any) -> Any:
            pass_by("running")
            return on_result(index, result)

        return original(engine, request, told if on_result else None)

    _replace_method(SandboxEngine, "run", run)


def replace_everywhere(original: Call, replacement: Call) -> None:
    """Let every module that imported a function by name call `replacement(original, ...)` instead."""

    def replaced(*args: Any, **kwargs: Any) -> Any:
        return replacement(original, *args, **kwargs)

    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in HOSTED:
            for attribute, value in list(vars(module).items()):
                if value is original:
                    setattr(module, attribute, replaced)


def _replace_method(owner: type, name: str, replacement: Call) -> None:
    original = getattr(owner, name)

    def replaced(*args: Any, **kwargs: Any) -> Any:
        return replacement(original, *args, **kwargs)

    setattr(owner, name, replaced)
