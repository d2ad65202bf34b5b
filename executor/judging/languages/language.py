"""What a language is, as people see it."""

from dataclasses import dataclass

from executor.engines.base import Toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language as people see it. `main_name` is the file name that a submission's single source gets."""

    key: str
    name: str
    main_name: str
    toolchain: Toolchain
    # The template that wraps a function problem, in executor/judging/templates/; None: stdio problems only.
    template_name: str | None = None
    # Where the code itself demands a file name: the first group is its stem.
    main_name_pattern: str | None = None
