"""The controls: a process of the product with one of its protections taken out, to see that the checker finds it."""

from collections.abc import Callable
from typing import Any

# Name -> what is left out. The last two are in `tests.reliability.web`.
PROTECTIONS = {
    "claims": "work that somebody holds is taken all the same, and results are applied without asking who holds it",
    "sweeper": "nobody returns what a lost worker held",
    "acknowledgement": "submissions are answered before they are written",
    "idempotency": "a request that comes again is a new one",
}


def install(protection: str) -> None:
    """Take this protection out of the process; an empty name takes none."""
    if protection:
        assert protection in PROTECTIONS, protection
        _INSTALL.get(protection, lambda: None)()


def _without_sweeper() -> None:
    from executor.queue import claims, registry
    from tests.reliability.hosts import replace_everywhere

    replace_everywhere(claims.claims_recover, lambda original, *args, **kwargs: 0)
    replace_everywhere(registry.workers_lost_here, lambda original, *args, **kwargs: 0)


def _without_claims() -> None:
    from executor.models import Judgement, TestResult
    from executor.queue import claims
    from executor.services import judgements
    from tests.reliability.hosts import replace_everywhere

    def take_any(original: Any, *args: Any, **kwargs: Any) -> claims.Claim | None:
        """What somebody else is judging, if anybody is."""
        held = Judgement.objects.filter(state=Judgement.State.CLAIMED).order_by("pk").first()
        if held is None or held.claim_id is None:
            taken: claims.Claim | None = original(*args, **kwargs)
            return taken
        return claims.Claim(held.pk, held.claim_id, held.submission_id, held.lane, held.losses)

    def lock_any(judgement_id: int, **conditions: Any) -> Judgement | None:
        """Whatever its state: who delivers last has the last word."""
        TestResult.objects.filter(judgement=judgement_id).delete()
        return Judgement.objects.select_related("submission").filter(pk=judgement_id).first()

    replace_everywhere(claims.claim_next, take_any)
    # Where results are applied, and nowhere else.
    judgements.claimed_lock = lock_any


_INSTALL: dict[str, Callable[[], None]] = {"sweeper": _without_sweeper, "claims": _without_claims}
