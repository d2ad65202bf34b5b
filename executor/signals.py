"""What the executor announces."""

from django.dispatch import Signal

# Sent with send() inside the transaction that applies a judgement; a receiver that fails, fails it.
# Arguments: submission_id, judgement_id, previous (status), current (status).
submission_judged = Signal()

# Sent with send_robust() after the commit of anything a spectator would want to know. Argument: submission_id.
submission_announced = Signal()

# Sent with send_robust() after a judgement that waits for a worker is committed. Arguments: judgement_id, lane.
judgement_queued = Signal()
