"""What the executor announces."""

from django.dispatch import Signal

# Sent with send() inside the transaction that applies a judgement; a receiver that fails, fails it.
# Arguments: submission_id, judgement_id, previous (status), current (status).
submission_judged = Signal()

# Sent with send_robust() after the commit of anything a spectator would want to know. Argument: submission_id.
submission_announced = Signal()

# Sent with send_robust() after a judgement that waits for a worker is committed. Arguments: judgement_id, lane.
judgement_queued = Signal()

# Sent with send_robust() after a free run that waits for a worker elsewhere is committed; a receiver that knows that no
# worker can be told answers False. Argument: run_id.
free_run_queued = Signal()

# Sent with send_robust() by the sweeper, and when a paused queue goes on: so many judgements are due and nobody has
# taken them yet. Argument: counts, by lane; lanes in which nothing waits are left out.
queue_waits = Signal()
