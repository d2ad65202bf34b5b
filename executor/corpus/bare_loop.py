"""Runs programs the plain way, one process a test, and prints how long that took. Runs inside a box; stdlib only.

The answer is a JSON object: `wall_s` of all, and `programs_s`, the seconds of each.

Reads one JSON object from stdin: `workers`, and `programs`, each with `files` ({name: content}), `compile` and `run`
(argv, `compile` may be empty), `inputs` (texts) and `timeout_s` (of each run).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def timed(program: dict[str, Any]) -> float:
    started = time.perf_counter()
    run_program(program)
    return time.perf_counter() - started


def run_program(program: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        for name, content in program["files"].items():
            with open(os.path.join(directory, name), "w", encoding="utf-8", errors="surrogatepass") as file:
                file.write(content)
        if program["compile"]:
            subprocess.run(program["compile"], cwd=directory, capture_output=True, check=False)
        for number, text in enumerate(program["inputs"]):
            path = os.path.join(directory, f".input{number}")
            with open(path, "w", encoding="utf-8", errors="surrogatepass") as file:
                file.write(text)
            with open(path, "rb") as stdin:
                try:
                    subprocess.run(
                        program["run"],
                        cwd=directory,
                        stdin=stdin,
                        capture_output=True,
                        timeout=program["timeout_s"],
                        check=False,
                    )
                except subprocess.TimeoutExpired:
                    return


def main() -> None:
    request = json.load(sys.stdin)
    started = time.perf_counter()
    with ThreadPoolExecutor(request["workers"]) as pool:
        programs_s = list(pool.map(timed, request["programs"]))
    json.dump({"wall_s": time.perf_counter() - started, "programs_s": programs_s}, sys.stdout)


if __name__ == "__main__":
    main()
