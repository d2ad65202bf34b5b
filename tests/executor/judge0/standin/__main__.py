"""A Judge0 that executes, for a person: `python -m tests.executor.judge0.standin --port 2358`, until interrupted.

At the end it prints how many requests there were of each kind, and how many jobs.
"""

import argparse
import json
import signal
import sys
import threading

from tests.executor.judge0.standin import StandIn
from tests.executor.judge0.standin.execution import Executor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=2358, help="on 127.0.0.1 (default: 2358)")
    parser.add_argument("--workers", type=int, default=2, help="jobs at a time (default: 2, as on a machine of 1 core)")
    parser.add_argument("--key", default="", help="the X-Auth-Token to ask for (default: none)")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    executor = Executor(workers=options.workers)
    with StandIn(executor, auth_token=options.key, port=options.port) as standin:
        sys.stdout.write(f"A Judge0 for tests listens at {standin.url}\n")
        sys.stdout.flush()
        ended.wait()
    executor.close()
    counts = {**standin.counts, "total": standin.total, "jobs": len(standin.api.submissions), "boxes": executor.runs}
    sys.stdout.write(json.dumps(counts) + "\n")


if __name__ == "__main__":
    main()
