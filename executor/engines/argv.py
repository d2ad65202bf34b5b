"""Filling in a toolchain's command lines."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from executor.engines.base import RunRequest


def expand_argv(words: Sequence[str], request: RunRequest) -> list[str]:
    """A command line of the request's toolchain with its placeholders filled; see `Toolchain` for what they mean."""
    main = request.files[0].name
    values = {"main": main, "stem": PurePosixPath(main).stem, "memory_limit_mb": str(request.limits.memory_limit_mb)}
    argv: list[str] = []
    for word in words:
        if word == "{sources}":
            argv += [file.name for file in request.files if file.name.endswith(request.toolchain.source_suffixes)]
            continue
        # In one go: what a file is called must not be filled in again.
        argv.append(re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), word))
    return argv
