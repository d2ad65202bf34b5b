"""Program output as text that any database can hold and any page can show."""

CUT_MARK = "\n… (cut)"


def storable_text(data: bytes, *, limit_bytes: int) -> str:
    """Decode leniently, cut at the limit, and spell out what a text column refuses: bytes that are no UTF-8, and NUL.

    Law 8: whatever a program prints ends as bounded text and never as an error of ours.
    """
    text = data[:limit_bytes].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    return text + CUT_MARK if len(data) > limit_bytes else text
