"""Markdown to HTML that can be put into a page as it is: what people write is never run in another's browser (T-30).

Three fences stand one behind the other: the parser takes no HTML from authors, a sanitizer lets only listed tags,
attributes and addresses through after everything else is done, and the pages' Content-Security-Policy comes on top.
Rendering costs time in proportion to the text, which callers bound at 100,000 characters; they may store the result.
"""

import re
from functools import cache
from typing import Any, Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name
from pygments.token import STANDARD_TYPES

NESTING_MAX = 20
# Lexers take up to quadratic time where a text is made for it (a second for 10,000 characters): what is highlighted in
# one text is bounded, and runs that no program needs are not even tried. C#'s lexer is worse than that and left out.
HIGHLIGHT_BLOCK_CHARACTERS_MAX = 3_000
HIGHLIGHT_TEXT_CHARACTERS_MAX = 12_000
LONG_RUN = re.compile(r"\s{100}|(.)\1{99}", re.DOTALL)
# What the info string of a fence may say; a language outside this list is shown plain.
# fmt: off
LANGUAGES: Final = frozenset({
    "bash", "c", "c++", "console", "cpp", "css", "diff", "go", "golang", "haskell", "html", "ini",
    "java", "javascript", "js", "json", "kotlin", "php", "pycon", "py", "python", "python3", "rb", "rs", "ruby",
    "rust", "sh", "sql", "toml", "ts", "typescript", "xml", "yaml",
})
# fmt: on

SURROGATE = re.compile("[\ud800-\udfff]")
# They reorder what is read, so that a program shows as another one ("Trojan Source").
BIDI_CONTROL = re.compile("[\u202a-\u202e\u2066-\u2069]")

# No dollar but an escaped one stands inside: a search ends at the next dollar, so that all of them together are linear.
# `$5 and $6` is money: math has no space inside its dollars and no digit after them.
MATH = re.compile(
    r"\$\$(?P<display>(?:[^$\\]++|\\.)++)\$\$(?!\$)|\$(?!\s)(?P<inline>(?:[^$\\]++|\\.)++)(?<!\s)\$(?![\d$])", re.DOTALL
)

LINK_REL = "noopener nofollow ugc"
# An address with a scheme names its host; one without has no colon in its first segment and stays on this host, which
# `//host` and `/\host` would not.
SAFE_LINK = re.compile(r"https?://[^/\\].*|mailto:.+|(?![/\\]{2})[^:/?#\x00-\x20]*(?:[/?#].*)?", re.IGNORECASE)
SAFE_IMAGE = re.compile(r"https://[^/\\].*|(?![/\\]{2})[^:/?#\x00-\x20]*(?:[/?#].*)?", re.IGNORECASE)
CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f]")

# fmt: off
TAGS: Final = frozenset({
    "a", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p",
    "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
})
# fmt: on
ATTRIBUTES: Final = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
ALIGNMENTS: Final = {
    "text-align:left": "align-left",
    "text-align:center": "align-center",
    "text-align:right": "align-right",
}
MATH_CLASSES: Final = {"math", "display"}
CLASSES: Final = {
    "div": MATH_CLASSES,
    "pre": {"highlight"},
    "span": MATH_CLASSES | {name for name in STANDARD_TYPES.values() if name},
    "td": set(ALIGNMENTS.values()),
    "th": set(ALIGNMENTS.values()),
}


def render_markdown(text: str) -> str:
    """HTML of CommonMark with tables, strikethrough, highlighted code and dollar math, safe to show to anybody.

    Code gets Pygments' short classes inside `<pre class="highlight">`. Math stays TeX, without its dollars, in elements
    of class `math` (and `display`). Text that cannot be shown as written (bidi controls, half surrogate pairs) is
    replaced by what can. Any text renders; none raises.
    """
    html = _parser().render(SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text))
    return BIDI_CONTROL.sub(_code_point, _sanitizer().clean(html))


def _code_point(match: re.Match[str]) -> str:
    return f"[U+{ord(match[0]):04X}]"


@cache
def _sanitizer() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        attribute_filter=_safe_attribute,
        allowed_classes=CLASSES,
        url_schemes={"http", "https", "mailto"},
        link_rel=LINK_REL,
        # A picture on another host learns who reads as little as possible.
        set_tag_attribute_values={"img": {"loading": "lazy", "referrerpolicy": "no-referrer"}},
    )


def _safe_attribute(tag: str, attribute: str, value: str) -> str | None:
    if attribute not in ("href", "src"):
        return value
    # Browsers drop tabs and line breaks inside an address before they look for its scheme.
    if CONTROL_OR_SPACE.search(value):
        return None
    return value if (SAFE_LINK if attribute == "href" else SAFE_IMAGE).fullmatch(value) else None


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING_MAX}).enable(["table", "strikethrough"])
    parser.block.ruler.before("fence", "math_block", _math_block, {"alt": ["paragraph", "blockquote", "list"]})
    parser.inline.ruler.before("escape", "math_inline", _math_inline)
    parser.core.ruler.push("bounded_addresses", _bound_addresses)
    parser.core.ruler.push("bounded_emphasis", _bound_emphasis)
    parser.core.ruler.push("alignment_classes", _align_by_class)
    parser.add_render_rule("fence", _render_fence)
    parser.add_render_rule("math_inline", _render_math)
    parser.add_render_rule("math_display", _render_math)
    parser.add_render_rule("math_block", _render_math)
    # Its lists of rules are put together on first use, which two threads must not do at once.
    parser.render("*text*")
    return parser


def _math_inline(state: StateInline, silent: bool) -> bool:
    match = MATH.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        is_display = match["display"] is not None
        token = state.push("math_display" if is_display else "math_inline", "", 0)
        token.content = match["display"] if is_display else match["inline"]
    state.pos = match.end()
    return True


def _math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`$$` at the start of a line, up to the next `$$`, which must end its line before any blank one."""
    first = _line(state, start)
    if state.is_code_block(start) or not first.startswith("$$"):
        return False
    line, rows = start, [first[2:]]
    while "$$" not in rows[-1]:
        line += 1
        if line >= end or state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return False
        rows.append(_line(state, line))
    if rows[-1].index("$$") != len(rows[-1]) - 2:
        return False
    if not silent:
        token = state.push("math_block", "", 0)
        token.content = "\n".join(rows)[:-2]
        token.map = [start, line + 1]
        state.line = line + 1
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()


def _bound_addresses(state: StateCore) -> None:
    """References to one long definition would multiply it: once addresses add up to some times the text, they stop.

    What is written out in place always fits, even percent-encoded.
    """
    characters_left = 10 * len(state.src)
    for token in _all_tokens(state.tokens):
        if token.type in ("link_open", "image"):
            characters_left -= sum(len(str(value)) for value in token.attrs.values())
            if characters_left < 0:
                token.attrs = {"alt": ""} if token.type == "image" else {}


def _bound_emphasis(state: StateCore) -> None:
    """The parser's limit on nesting holds for blocks and brackets only; emphasis deeper than that loses its marks."""
    for block in state.tokens:
        depth = 0
        for token in block.children or ():
            depth += max(token.nesting, 0)
            token.hidden = token.hidden or (token.nesting != 0 and depth > NESTING_MAX)
            depth += min(token.nesting, 0)


def _align_by_class(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and (style := token.attrs.pop("style", None)):
            token.attrs["class"] = ALIGNMENTS[str(style)]


def _all_tokens(tokens: list[Token]) -> list[Token]:
    return [token for block in tokens for token in (block, *(block.children or ()))]


def _render_math(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    tag = "div" if token.type == "math_block" else "span"
    classes = "math" if token.type == "math_inline" else "math display"
    end = "\n" if tag == "div" else ""
    return f'<{tag} class="{classes}">{escapeHtml(token.content.strip())}</{tag}>{end}'


def _render_fence(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    words = token.info.split(maxsplit=1)
    highlighted = _highlighted(token.content, words[0].lower() if words else "", env)
    return f'<pre class="highlight"><code>{highlighted}</code></pre>\n'


def _highlighted(code: str, language: str, env: EnvType) -> str:
    """The code as HTML, its tokens in spans where the language is known and the text's budget is not used up."""
    used = env.get("highlighted_characters", 0) + len(code)
    is_too_much = len(code) > HIGHLIGHT_BLOCK_CHARACTERS_MAX or used > HIGHLIGHT_TEXT_CHARACTERS_MAX
    if language not in LANGUAGES or is_too_much or LONG_RUN.search(code):
        return escapeHtml(code)
    env["highlighted_characters"] = used
    # Neither may a lexer trim the code. Each use gets its own: some keep their state on themselves.
    lexer = _lexer_class(language)(stripnl=False, ensurenl=False)
    return highlight(code, lexer, HtmlFormatter(nowrap=True))


@cache
def _lexer_class(language: str) -> type[Lexer] | Any:
    return find_lexer_class_by_name(language)
