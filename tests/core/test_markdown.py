"""Whatever people write, what is shown to others is text, a few tags and plain addresses (T-30, O-04)."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core import markdown
from core.markdown import (
    ATTRIBUTES,
    BIDI_CONTROL,
    CLASSES,
    HIGHLIGHT_BLOCK_CHARACTERS_MAX,
    HIGHLIGHT_TEXT_CHARACTERS_MAX,
    NESTING_MAX,
    TAGS,
    render_markdown,
)

# A slow machine is no failure, and what one run found does not change the next.
UNTIMED = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
ALWAYS = {"a": {"rel"}, "img": {"loading", "referrerpolicy"}}
VOID = {"br", "hr", "img"}

PAYLOADS = [
    # raw HTML
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    '<img src="x" onerror="alert(1)" />',
    "<img/src=x/onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<math href=javascript:alert(1)>x</math>",
    "<iframe src=javascript:alert(1)></iframe>",
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    "<object data=javascript:alert(1)>",
    "<embed src=//evil.example>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<marquee onstart=alert(1)>",
    "<style>@import 'javascript:alert(1)';</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href=//evil.example>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    '<a href="javascript:alert(1)">x</a>',
    '<p style="background:url(javascript:alert(1))">x</p>',
    '<div id="content" name="content" class="admin">x</div>',
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?><script>alert(1)</script>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<template><script>alert(1)</script></template>",
    "<xss onclick=alert(1)>x</xss>",
    "\n<div>\n\n<script>alert(1)</script>\n\n</div>\n",
    # addresses that run
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](  javascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](\x01javascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](javascript&#58;alert(1))",
    "[x](javascript&#x3a;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A&#x61vascript:alert(1))",
    "[x](java&Tab;script:alert(1))",
    "[x](java&NewLine;script:alert(1))",
    "[x](javascript%3Aalert(1))",
    "[x](javascript\\:alert(1))",
    "[x](java\u200bscript:alert(1))",
    "[x](\u2028javascript:alert(1))",
    "[x](\uff4aavascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](livescript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](DATA:image/svg+xml,<svg/onload=alert(1)>)",
    "[x](data:image/png;base64,AAAA)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://a.example/1)",
    "[x](view-source:javascript:alert(1))",
    "[x](feed:javascript:alert(1))",
    "[x](jar:javascript:alert(1)!/)",
    "[x](intent://x#Intent;scheme=http;end)",
    "[x](//evil.example/x)",
    "[x](/\\evil.example/x)",
    "[x](\\\\evil.example/x)",
    "[x](https:javascript:alert(1))",
    "[x](http:///evil.example)",
    "[x]: javascript:alert(1)\n\n[x]",
    "[x]: <data:text/html,x>\n\n[x][x]",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "<java\u00adscript:alert(1)>",
    # pictures
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zy8+)",
    "![x](data:image/png;base64,AAAA)",
    "![x](http://evil.example/track.gif)",
    "![x](//evil.example/track.gif)",
    "![x](mailto:a@b.example)",
    '![x" onerror="alert(1)](x.png)',
    '![x](x.png" onerror="alert(1))',
    '![x](x.png "t\\" onerror=\\"alert(1)")',
    "![<script>alert(1)</script>](x.png)",
    "![![x](javascript:alert(1))](javascript:alert(1))",
    # out of an attribute, out of nesting
    '[x](https://a.example "t\\" onmouseover=\\"alert(1)")',
    "[x](https://a.example 't' onclick='alert(1)')",
    '[x](https://a.example/"onclick="alert(1))',
    "[x](https://a.example/?a=<script>alert(1)</script>)",
    "[![x](javascript:alert(1))](javascript:alert(1))",
    "[a [b](javascript:alert(1)) c](javascript:alert(2))",
    "> - [x](javascript:alert(1))\n>   <script>alert(1)</script>",
    "a|b\n-|-\n<script>alert(1)</script>|[x](javascript:alert(1))",
    'a|b\n:-"onclick=alert(1)|-\nx|y',
    "`<script>alert(1)</script>`",
    "``<img src=x onerror=alert(1)>``",
    "    <script>alert(1)</script>",
    "```\n<script>alert(1)</script>\n```",
    "```html\n<script>alert(1)</script></code></pre><script>alert(2)</script>\n```",
    '```"onclick="alert(1)\nx\n```',
    '```html"><script>alert(1)</script>\nx\n```',
    "```python\n'''</span><script>alert(1)</script>'''\n```",
    "~~~<script>\nx\n~~~",
    "$<script>alert(1)</script>$",
    "$$\n<img src=x onerror=alert(1)>\n$$",
    "$\\href{javascript:alert(1)}{x}$ $$</span><script>alert(1)</script>$$",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\\<script>alert(1)</script>",
    '<a@b.example"onclick=alert(1)>',
    '<https://a.example/"onclick=alert(1)>',
    "<https://a.example/<script>alert(1)</script>>",
    "# <script>alert(1)</script> {#id onclick=alert(1)}",
    "1. <script>\n2. alert(1)\n3. </script>",
    # characters
    "\x00<script>alert(1)</script>",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "\ud800<script>alert(1)</script>",
    "if access != 'user\u202e \u2066// admins only\u2069 \u2066': pass",
    "`\u202dcode\u202c` and [x](https://a.example/\u202e 'title\u202e')",
    "&#x202E;&#8294; by entity",
    "![\u202egnp](x.png '\u202a')",
    "```python\n# \u202e hidden\n```",
    "<b\u202e>",
]
PATHOLOGICAL: dict[str, Callable[[int], str]] = {
    "opening brackets": lambda n: "[" * n,
    "nested brackets": lambda n: "[" * (n // 2) + "]" * (n // 2),
    "open links": lambda n: "[a](" * (n // 4),
    "open links in angles": lambda n: "[a](<b" * (n // 6),
    "open references": lambda n: "[a][" * (n // 4),
    "nested pictures": lambda n: "![" * (n // 4) + "](a)" * (n // 8),
    "stars": lambda n: "*" * n,
    "open emphasis": lambda n: "*a **a " * (n // 7),
    "mixed emphasis": lambda n: "*a_ " * (n // 4),
    "words in emphasis": lambda n: "a**b_c" * (n // 6),
    "closing emphasis": lambda n: "*a " * (n // 6) + " a*" * (n // 6),
    "struck through": lambda n: "~~a " * (n // 4),
    "backticks": lambda n: "".join("e" + "`" * length for length in range(int((2 * n) ** 0.5))),
    "quotes": lambda n: ">" * n,
    "quoted lines": lambda n: ">a\n" * (n // 3),
    "growing quotes": lambda n: "\n".join(">" * depth + "a" for depth in range(int((2 * n) ** 0.5))),
    "lists in lists": lambda n: "- " * (n // 2),
    "growing lists": lambda n: "".join("  " * depth + "- a\n" for depth in range(int(n**0.5))),
    "quotes in lists": lambda n: "+ > " * (n // 4),
    "open angles": lambda n: "<a " * (n // 3),
    "open comments": lambda n: "<!--" * (n // 4),
    "open definitions": lambda n: "[a]: <\n" * (n // 7),
    "definitions with open titles": lambda n: '[a]: b "\n' * (n // 9),
    "open labels": lambda n: "[a\n" * (n // 3),
    "tables": lambda n: "a|b\n-|-\n" * (n // 8),
    "ampersands": lambda n: "&#" * (n // 2),
    "backslashes": lambda n: "\\" * n,
    "fences": lambda n: "```\n" * (n // 4),
    "open fences": lambda n: "``` a\n" * (n // 6),
    "dollars": lambda n: "$" * n,
    "open math": lambda n: "$a " * (n // 3),
    "open display math": lambda n: "$$a\n" * (n // 4),
    "math broken by blank lines": lambda n: "$$a\n\n" * (n // 5),
    "escaped dollars": lambda n: "$a" + "\\$" * (n // 2),
    "blank lines": lambda n: "\n" * n,
    "spaces": lambda n: " " * n,
    "autolink": lambda n: "<" + "a" * n,
}


class Page(HTMLParser):
    """The tags of a page in order, with their depth."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.others: list[str] = []
        self.depth = self.depth_max = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.depth += 1
            self.depth_max = max(self.depth, self.depth_max)

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_decl(self, decl: str) -> None:
        self.others.append(decl)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)


def faults(html: str) -> Iterator[str]:
    """What must not be in a page, told apart from how the renderer keeps it out."""
    page = Page(html)
    yield from page.others
    if BIDI_CONTROL.search(html):
        yield "bidi control"
    for tag, attributes in page.tags:
        if tag not in TAGS:
            yield tag
            continue
        for name, value in attributes.items():
            if name == "class":
                if not set((value or "").split()) <= CLASSES.get(tag, set()):
                    yield f"{tag} class={value}"
            elif name in ("href", "src"):
                if not is_harmless(value or "", is_link=name == "href"):
                    yield f"{tag} {name}={value}"
            elif name not in ATTRIBUTES.get(tag, set()) | ALWAYS.get(tag, set()):
                yield f"{tag} {name}"
        if tag == "a" and attributes.get("rel") != "noopener nofollow ugc":
            yield "rel"


def is_harmless(address: str, *, is_link: bool) -> bool:
    """As a browser reads it: outer spaces and controls go, tabs and line breaks too, backslashes are slashes."""
    seen = (
        "".join(c for c in address if c not in "\t\r\n")
        .strip("".join(map(chr, range(0x21))))
        .replace("\\", "/")
        .lower()
    )
    scheme, colon, rest = seen.partition(":")
    if colon and not set("/?#") & set(scheme):
        good = {"https", "http", "mailto"} if is_link else {"https"}
        return scheme in good and (scheme == "mailto" or (rest.startswith("//") and not rest.startswith("///")))
    return not seen.startswith("//")


def unprotected(text: str) -> str:
    """The same parser, with HTML from authors and any address, and no sanitizer."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    return str(parser.render(text.replace("\ud800", "")))


class TestRendering:
    @pytest.mark.parametrize(
        ("text", "html"),
        [
            ("# A *b* **c** ~~d~~ `e`", "<h1>A <em>b</em> <strong>c</strong> <s>d</s> <code>e</code></h1>"),
            ("> a\n\n---", "<blockquote>\n<p>a</p>\n</blockquote>\n<hr>"),
            ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
            ("a  \nb", "<p>a<br>\nb</p>"),
            ("    <b>", "<pre><code>&lt;b&gt;\n</code></pre>"),
            ("a & b < c", "<p>a &amp; b &lt; c</p>"),
        ],
    )
    def test_commonmark(self, text: str, html: str) -> None:
        assert render_markdown(text).strip() == html

    def test_tables_align_by_class(self) -> None:
        html = render_markdown("a|b|c|d\n:-|:-:|-:|-\n1|2|3|4")
        cells = [attributes.get("class") for tag, attributes in Page(html).tags if tag in ("th", "td")]
        assert cells == ["align-left", "align-center", "align-right", None] * 2
        assert "style" not in html

    @pytest.mark.parametrize(
        "address",
        [
            "https://a.example/x?y=1#z",
            "http://a.example",
            "mailto:a@b.example",
            "/courses/1/",
            "x.html",
            "../a:b",
            "#top",
            "?page=2",
            "",
        ],
    )
    def test_plain_addresses_stay(self, address: str) -> None:
        ((_, link),) = [tag for tag in Page(render_markdown(f"[x]({address})")).tags if tag[0] == "a"]
        assert link == {"href": address, "rel": "noopener nofollow ugc"}

    @pytest.mark.parametrize("address", ["https://a.example/x.png", "/media/x.png", "x.png"])
    def test_pictures_tell_other_hosts_little(self, address: str) -> None:
        ((_, picture),) = [tag for tag in Page(render_markdown(f"![a *b*]({address})")).tags if tag[0] == "img"]
        assert picture == {"src": address, "alt": "a b", "loading": "lazy", "referrerpolicy": "no-referrer"}

    def test_any_language_on_the_list_is_known(self) -> None:
        for language in markdown.LANGUAGES:
            assert Page(render_markdown(f"```{language}\nx = 1\n```")).text.strip() == "x = 1"

    def test_code_keeps_its_lines_and_gets_classes(self) -> None:
        code = "\n\n  def f(x):\n      return '<b>'  # é\n\n"
        page = Page(render_markdown(f"```python title\n{code}```"))
        assert page.text == f"{code}\n"
        assert ("span", {"class": "k"}) in page.tags
        assert page.tags[:2] == [("pre", {"class": "highlight"}), ("code", {})]

    @pytest.mark.parametrize("language", ["", "text", "brainfuck", "PYTHON3000", "../x"])
    def test_unknown_languages_are_plain(self, language: str) -> None:
        html = render_markdown(f"```{language}\ndef <x>\n```")
        assert html.strip() == '<pre class="highlight"><code>def &lt;x&gt;\n</code></pre>'

    @pytest.mark.parametrize(
        ("text", "html"),
        [
            ("$a<b$ and $5", '<p><span class="math">a&lt;b</span> and $5</p>'),
            ("$5 and $6, US$7", "<p>$5 and $6, US$7</p>"),
            ("$$x_1*y*z$$ in text", '<p><span class="math display">x_1*y*z</span> in text</p>'),
            ("$$\n\\frac{a}{b}\n- c\n$$", '<div class="math display">\\frac{a}{b}\n- c</div>'),
            ("> $$\n> a\n> $$", '<blockquote>\n<div class="math display">a</div>\n</blockquote>'),
            ("`$a$` \\$b$", "<p><code>$a$</code> $b$</p>"),
            ("$a\\$b$", '<p><span class="math">a\\$b</span></p>'),
            ("$$\na\n\nb\n$$", "<p>$$\na</p>\n<p>b\n$$</p>"),
            ("$ a $ and $", "<p>$ a $ and $</p>"),
        ],
    )
    def test_math_stays_tex(self, text: str, html: str) -> None:
        assert render_markdown(text).strip() == html

    def test_bidi_controls_are_shown(self) -> None:
        assert render_markdown("a\u202eb&#x2066;") == "<p>a[U+202E]b[U+2066]</p>\n"
        assert "[U+202E]" in render_markdown("```python\n# \u202e\n```")

    def test_right_to_left_writing_is_left_alone(self) -> None:
        assert render_markdown("שלום \u200fעולם") == "<p>שלום \u200fעולם</p>\n"


class TestHostileText:
    @pytest.mark.parametrize("payload", PAYLOADS)
    @pytest.mark.parametrize(
        "around", ["{}", "text {} text", "> {}", "- a\n\n  {}", "**{}**", "[{}](https://a.example)"]
    )
    def test_it_is_inert(self, payload: str, around: str) -> None:
        assert list(faults(render_markdown(around.format(payload)))) == []

    def test_most_of_it_is_not_inert_by_itself(self) -> None:
        """Control: the same payloads through the same parser, without what protects, and the same search for faults."""
        live = [payload for payload in PAYLOADS if any(faults(unprotected(payload)))]
        assert len(PAYLOADS) >= 60
        assert len(live) >= 60

    @pytest.mark.parametrize(
        "payload",
        ["[x](foo:bar)", "[x](//evil.example)", "![x](http://evil.example/x.gif)", "![x](data:image/png;base64,AAAA)"],
    )
    def test_without_the_sanitizer_it_would_go_through(self, monkeypatch: pytest.MonkeyPatch, payload: str) -> None:
        """Control: the parser's own refusal of addresses is not enough."""

        class Careless:
            def clean(self, html: str) -> str:
                return html.replace("<a ", '<a rel="noopener nofollow ugc" ')

        monkeypatch.setattr(markdown, "_sanitizer", Careless)
        assert list(faults(render_markdown(payload)))

    def test_the_sanitizer_alone_is_enough_for_html(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each of the two fences holds by itself."""
        monkeypatch.setitem(markdown._parser().options, "html", True)
        for payload in PAYLOADS:
            assert list(faults(render_markdown(payload))) == []

    @UNTIMED
    @given(
        pieces=st.lists(st.sampled_from([*PAYLOADS, *"[]()<>!*_`~\"'\n>-|$:&;#\\", "\n\n", "```", "    "]), max_size=12)
    )
    def test_pieces_put_together_are_inert(self, pieces: list[str]) -> None:
        assert list(faults(render_markdown("".join(pieces)))) == []

    @UNTIMED
    @given(text=st.text(st.characters(exclude_categories=[])))
    def test_any_text_renders(self, text: str) -> None:
        assert list(faults(render_markdown(text))) == []


def steps(text: str) -> int:
    """How many lines of Python ran to render the text."""
    counted = Counter[str]()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        counted[event] += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        render_markdown(text)
    finally:
        sys.settrace(before)
    return counted["line"]


class TestCost:
    @pytest.mark.parametrize("make", PATHOLOGICAL.values(), ids=PATHOLOGICAL.keys())
    def test_twice_the_text_takes_about_twice_the_steps(self, make: Callable[[int], str]) -> None:
        # Doubling quadruples what is quadratic; both lengths are far beyond the nesting limit.
        render_markdown("")
        assert steps(make(3_000)) < 2.8 * steps(make(1_500)) + 2_000

    @pytest.mark.parametrize("make", PATHOLOGICAL.values(), ids=PATHOLOGICAL.keys())
    def test_long_text_stays_flat(self, make: Callable[[int], str]) -> None:
        html = render_markdown(make(20_000))
        # A list takes two tags for each level, and emphasis has levels of its own.
        assert Page(html).depth_max <= 3 * NESTING_MAX + 5
        # Rows of a table are filled up to its head's width, within a limit of their own.
        assert len(html) < 2_000_000
        assert list(faults(html)) == []

    def test_without_the_limit_it_would_be_deep(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Control."""
        monkeypatch.setitem(markdown._parser().options, "maxNesting", 500)
        monkeypatch.setattr(markdown, "NESTING_MAX", 500)
        assert Page(render_markdown(">" * 400 + "a")).depth_max > 400
        assert Page(render_markdown("*a " * 400 + " a*" * 400)).depth_max > 400

    def test_one_long_definition_is_not_multiplied(self) -> None:
        text = f"[x]: https://a.example/{'y' * 50_000}\n\n" + "[x] " * 12_000
        html = render_markdown(text)
        assert len(html) < 2_000_000
        links = [attributes for tag, attributes in Page(html).tags if tag == "a"]
        assert len(links) == 12_000
        assert "href" in links[0]
        assert "href" not in links[-1]

    def test_long_addresses_written_out_stay(self) -> None:
        text = " ".join(f"[x](/{'字' * 100})" for _ in range(900))
        assert all("href" in attributes for tag, attributes in Page(render_markdown(text)).tags if tag == "a")

    def test_no_more_is_highlighted_than_the_budget(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given_to_lexers: list[int] = []
        real = markdown.highlight

        def counting(code: str, lexer: Any, formatter: Any) -> str:
            given_to_lexers.append(len(code))
            return real(code, lexer, formatter)

        monkeypatch.setattr(markdown, "highlight", counting)
        block = "```python\n" + "x = 1\n" * 400 + "```\n\n"
        page = Page(render_markdown(block * 20))
        assert given_to_lexers == [2_400] * (HIGHLIGHT_TEXT_CHARACTERS_MAX // 2_400)
        assert page.text.count("x = 1") == 8_000

    @pytest.mark.parametrize(
        "code", ["x = 1\n" * (HIGHLIGHT_BLOCK_CHARACTERS_MAX // 6 + 1), "\n" * 200 + "x", " " * 200 + "x", "/" * 200]
    )
    def test_what_lexers_are_slow_at_is_not_given_to_them(self, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
        monkeypatch.setattr(markdown, "highlight", lambda *args: pytest.fail("it was highlighted"))
        assert Page(render_markdown(f"```c\n{code}\n```")).text == f"{code}\n\n"
