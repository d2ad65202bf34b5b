"""Where a place in a program text stands: in code, or inside a comment, a string or a bracket.

Only as much of C, C++ and Java is known as decides that. Nothing here guards a score: the answer of a program that a
wrong guess let through is compared outside all the same (law 1).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_LINE_COMMENT = r"//[^\r\n]*"
# In C a line that ends in a backslash goes on in the next one, be it a comment.
_LINE_COMMENT_GOING_ON = r"//(?:\\\r?\n|[^\r\n])*"
_COMMENT = r"/\*.*?\*/"
_TEXT = r""" "(?:\\\r?\n|\\.|[^"\\\r\n])*"? | '(?:\\.|[^'\\\r\n])*'? """
# 1'000'000 holds no character.
_NUMBER = r"\.?\d(?:'\w|[eEpP][+-]|[\w.])*"
_RAW = r'(?:u8|u|U|L)?R"(?P<fence>[^()\\\s]{0,16})\(.*?\)(?P=fence)"'
_BLOCK = r'"""(?:\\.|[^\\])*?"""'


def _tokens(comment: str, *whole: str, opening: str) -> re.Pattern[str]:
    wholes = "|".join((comment, _COMMENT, *whole))
    return re.compile(
        rf"(?P<whole>{wholes}) | (?P<open>{opening}) | (?P<text>{_TEXT} | {_NUMBER} | \w+)"
        r" | (?P<up>[({\[]) | (?P<down>[)}\]])",
        re.VERBOSE | re.DOTALL,
    )


_CPP = _tokens(_LINE_COMMENT_GOING_ON, _RAW, opening=r'/\*|(?:u8|u|U|L)?R"[^()\\\s]{0,16}\(')
_TOKENS: Mapping[str, re.Pattern[str]] = {
    "c": _tokens(_LINE_COMMENT_GOING_ON, opening=r"/\*"),
    "cpp": _CPP,
    "cpp20": _CPP,
    "java": _tokens(_LINE_COMMENT, _BLOCK, opening=r'/\*|"""'),
}
_UNICODE_ESCAPE = re.compile(r"(?<!\\)(\\+)u+([0-9a-fA-F]{4})")
_PARTNERS = {")": "(", "}": "{", "]": "["}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a text leaves the line that follows it.

    `is_code`: that line is neither in a comment nor in a string. `is_whole`: nor inside a bracket, and the text closed
    none that it had not opened.
    """

    is_code: bool
    is_whole: bool


def standing_after(text: str, *, language: str) -> Standing:
    """Read a text in C, C++ (`cpp`, `cpp20`) or Java to its end and say what the next line would be part of."""
    if not text.endswith("\n"):
        text += "\n"
    if language == "java":
        # Java reads these before anything else: a comment can be closed by one.
        text = _UNICODE_ESCAPE.sub(_unescaped, text)
    brackets: list[str] = []
    is_whole = True
    for token in _TOKENS[language].finditer(text):
        # A comment that reaches the end has swallowed the last line break.
        if token.lastgroup == "open" or (token.lastgroup == "whole" and token.group().endswith("\n")):
            return Standing(is_code=False, is_whole=False)
        if token.lastgroup == "up":
            brackets.append(token.group())
        elif token.lastgroup == "down":
            is_whole = is_whole and bool(brackets) and brackets.pop() == _PARTNERS[token.group()]
    return Standing(is_code=True, is_whole=is_whole and not brackets)


def _unescaped(match: re.Match[str]) -> str:
    backslashes, digits = match.groups()
    # Of an even number the last one is itself escaped.
    return backslashes[1:] + chr(int(digits, 16)) if len(backslashes) % 2 else match.group()
