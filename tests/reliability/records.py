"""Files of JSON lines, to which many threads and processes append: what was asked, what was killed, what was done."""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Records:
    """One file. A line is one write to a file opened for appending, so that lines of several processes do not mix."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._lock = threading.Lock()

    def add(self, event: str, **fields: object) -> None:
        """Append a record; `at` is seconds since 1970."""
        line = json.dumps({"event": event, "at": time.time(), **fields}) + "\n"
        with self._lock:
            os.write(self._file, line.encode())

    def close(self) -> None:
        os.close(self._file)


class Reader:
    """Reads a file of records from where it stopped the last time."""

    def __init__(self, path: Path) -> None:
        self._path, self._position = path, 0

    def more(self) -> list[Record]:
        """What was appended since; a line that is not whole yet is left for the next time."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._position)
            text = file.read()
        whole = text.rpartition(b"\n")[0]
        self._position += len(whole) + 1 if whole else 0
        return [json.loads(line) for line in whole.split(b"\n") if line]


def read_records(path: Path) -> list[Record]:
    """Everything that was appended so far."""
    return Reader(path).more()
