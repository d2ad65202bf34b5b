"""The Judge0 engine: programs run on a Judge0 over HTTP (written against 1.13.1).

What becomes of each fault. "Retried here" means inside one `run()`; what comes after is the caller's to decide.

| Fault | Exception | Retried here |
| --- | --- | --- |
| connection refused | EngineUnavailable | yes, POST and poll: nothing was created |
| DNS, TLS, connect or read timeout, reset, cut body | EngineUnavailable | polls only: a POST may have been heard |
| 429, 408, 425, 5xx (`queue is full`, maintenance, a proxy's HTML) | EngineUnavailable, with Retry-After | polls only |
| null for a token (unknown to the server), a whole poll of nulls | EngineUnavailable | polls only |
| status 1 or 2 until the deadline; any exchange over its time | EngineUnavailable | no |
| status 13 or 14; a box that could not start the program | EngineUnavailable | no |
| one program compiled for one test and not for another | EngineUnavailable | no |
| 400, 401, 403, 404, 413, 422, other 4xx, any redirect | EngineRejected | no |
| a batch with an error object in it | EngineRejected | no |
| limits, sizes or languages beyond what the server offers | EngineRejected, before anything is sent | no |
| other 2xx; empty, invalid, too deep or compressed JSON | EngineProtocolError | no |
| a body over the cap | EngineProtocolError | asked again in halves, down to one token |
| missing fields, wrong types, unknown status, bad base64 | EngineProtocolError | no |
| negative or absurd figures, a status that contradicts them | EngineProtocolError | no |
| a token twice, one seen before, one nobody asked for | EngineProtocolError | no |

Nothing about right answers is ever sent (law 1). Neither the key nor a job's token appears in an exception or a log.
"""

from executor.engines.judge0.engine import Judge0Engine
from executor.engines.judge0.wire import Timeouts

__all__ = ["Judge0Engine", "Timeouts"]
