"""What this process counts for `/metrics`. How the queue stands is read from the database when somebody asks."""

from prometheus_client import Counter, Histogram

SUBMISSIONS = Counter("assay_submissions", "Submissions taken in.", ["purpose"])
REFUSALS = Counter("assay_submission_refusals", "Submissions refused for now, by code.", ["code"])
VERDICTS = Counter("assay_verdicts", "Judgements that ended, by verdict.", ["verdict", "lane"])
ENGINE_ERRORS = Counter("assay_engine_errors", "Faults of the engine while judging, by kind.", ["kind"])
RETRIES = Counter("assay_judging_retries", "Judgements put back into the queue after a fault of ours.")
LEASES_EXPIRED = Counter("assay_leases_expired", "Claims whose worker did not renew its lease.")
QUARANTINES = Counter("assay_quarantines", "Submissions that killed every worker that judged them.")

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
WAIT_SECONDS = Histogram(
    "assay_judgement_wait_seconds", "From queued to taken by a worker.", ["lane"], buckets=_SECONDS
)
RUN_SECONDS = Histogram("assay_judgement_run_seconds", "From taken to ended.", ["lane"], buckets=_SECONDS)
