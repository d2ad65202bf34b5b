"""The Judge0 engine: programs run on a Judge0 over HTTP (written against 1.13.1).

What becomes of each fault. "Retried here" means inside one `run()`; what comes after is the caller's to decide.
"Breaker" says what it is to the circuit breaker: a fault (eight in a row open it), a sign of life (which closes it), a
pause (a fault with a Retry-After, which opens it for so long at once), or nothing. An EngineBusy is an
EngineUnavailable that no submission is to blame for.

| Fault | Exception | Retried here | Breaker |
| --- | --- | --- | --- |
| connection refused | EngineUnavailable | yes, POST and poll: nothing was created | fault |
| DNS, TLS, connect or read timeout, reset, cut body | EngineUnavailable | polls only: a POST may be heard | fault |
| an exchange over its time | EngineUnavailable | polls only | fault |
| the same in less time than a read may take: the caller was in a hurry | EngineUnavailable | polls only | nothing |
| 429; 503 with its reason (`queue is full`, maintenance) or a time | EngineBusy | polls only | fault, pause |
| 408, 425, other 5xx (a proxy's HTML) | EngineUnavailable | polls only | fault, pause |
| the breaker is open: nothing is sent | EngineBusy, with the wait | polls only, if the wait is short | nothing |
| 401, 403, 404, 405, any redirect: our key or address | EngineUnavailable, to be tried in 30 s | no | fault |
| null for a token (unknown to the server), a whole poll of nulls | EngineUnavailable | polls only | life |
| maintenance, by /config_info | EngineBusy | no | life |
| status 1 or 2 until the deadline | EngineUnavailable | no | life |
| status 13 or 14; a box that could not start the program | EngineUnavailable | no | life |
| the last two over a job of many tests, or tests in it without a sound frame | none | these tests, alone | life |
| a program that filled a box a little smaller than its limit | EngineRejected | no | life |
| one program compiled for one test and not for another | EngineUnavailable | no | life |
| 400, 413, 422, other 4xx | EngineRejected | no | life |
| a batch with an error object in it | EngineRejected | no | life |
| limits, sizes or languages beyond what the server offers | EngineRejected, before anything is sent | no | nothing |
| other 2xx; empty, invalid, too deep or compressed JSON | EngineProtocolError | no | fault |
| a body over the cap | EngineProtocolError | asked again in halves, down to one token | life |
| missing fields, wrong types, unknown status, bad base64 | EngineProtocolError | no | life |
| negative or absurd figures, a status that contradicts them | EngineProtocolError | no | life |
| a token twice, one seen before, one nobody asked for | EngineProtocolError | no | life |

Nothing about right answers is ever sent (law 1). Neither the key nor a job's token appears in an exception or a log.
"""

from executor.engines.judge0.engine import Judge0Engine
from executor.engines.judge0.wire import Timeouts

__all__ = ["Judge0Engine", "Timeouts"]
