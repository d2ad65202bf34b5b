"""What an attachment is called: the name a file came with, without what no name here may have."""

import re
import unicodedata
from pathlib import PurePosixPath

from core.errors import InvalidInput

NAME_CHARACTERS_MAX = 100
# Control characters, what reorders the reading (a name could then end in another extension than it shows), half
# surrogate pairs, and the separators that mean something to other systems.
_UNSAFE = re.compile('[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff:*?"<>|]')


def attachment_name(given: str) -> str:
    """A file's name without folders, control characters and leading dots, of at most 100 characters.

    Raises:
        InvalidInput: at `file`, code `file_name_refused`: nothing is left of it.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    name = _UNSAFE.sub("", last).strip().lstrip(". ").rstrip(". ")
    if not name:
        raise InvalidInput.at("file", "file_name_refused", "The file has no name that could be kept.")
    suffix = PurePosixPath(name).suffix[-20:]
    stem = name[: len(name) - len(suffix)]
    return stem[: NAME_CHARACTERS_MAX - len(suffix)] + suffix
