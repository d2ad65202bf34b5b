"""Programs that try to change the text they are wrapped in (G-10), each with what it honestly earns.

The problem: `f(n)` returns 2n. What earns 0 has no right `f`; what earns 100 has one, beside something that looks odd.
"""

RIGHT = {
    "python": "def f(n):\n    return 2 * n\n",
    "javascript": "function f(n) { return 2 * n; }\n",
    "c": "int f(int n) { return 2 * n; }\n",
    "cpp": "int f(int n) { return 2 * n; }\n",
    "java": "static int f(int n) { return 2 * n; }\n",
}
WRONG = {key: code.replace("2 * n", "0") for key, code in RIGHT.items()}

# Authors' templates: text on both sides of the code that an injection would like to swallow, close or redefine.
TEMPLATES = {
    "python": '"""Calls f."""\nimport sys\n\n{{{ prelude }}}\n{{{ code }}}\n{{{ postlude }}}\n"""End."""\n'
    "if True:\n    print(f(int(sys.stdin.read())))\n",
    "javascript": '/* Calls f. */\nconst fs = require("fs");\n{{{ prelude }}}\n{{{ code }}}\n{{{ postlude }}}\n'
    '/* End. */ const n = `${fs.readFileSync(0, "utf8")}`;\nif (true) { console.log(f(Number(n))); }\n',
    "c": "/* Calls f. */\n#ifndef DRIVER\n#include <stdio.h>\n{{{ prelude }}}\n{{{ code }}}\n{{{ postlude }}}\n"
    "/* End. */\n"
    'int main(void) { int n; if (scanf("%d", &n) != 1) { return 1; } printf("%d\\n", f(n)); return 0; }\n#endif\n',
    "java": "import java.util.Scanner;\n{{{ prelude }}}\npublic class Main {\n    /* Calls f. */\n{{{ code }}}\n"
    "    /* End. */\n"
    "    public static void main(String[] a) { System.out.println(f(new Scanner(System.in).nextInt())); }\n}\n"
    "{{{ postlude }}}\n",
}
TEMPLATES["cpp"] = TEMPLATES["c"].replace("{{{ code }}}", "namespace student {\n{{{ code }}}\n}\nusing student::f;")


def _wrong(key: str, **endings: str) -> dict[str, str]:
    return {name: WRONG[key] + text for name, text in endings.items()}


HOSTILE: dict[str, dict[str, str]] = {
    "python": {
        **_wrong(
            "python",
            open_docstring='"""',
            open_quotes="'''\n",
            open_block="if True:\n",
            open_parenthesis="(",
            closed_parenthesis=")",
            backslash_at_the_end="\\",
            end_mark="__END__\n",
            heredoc="<<EOF\nprint(0)\nEOF\n",
            returns_at_the_top="return f\n",
            separator_as_line_break="\u2028def f(n): return 0\n",
            holes="# {{{ code }}}\n{{{ postlude }}}\n",
            redefines_what_calls_it="int = print = lambda *a: 0\n",
            other_encoding="# -*- coding: utf-7 -*-\n+ACIAIgAi-\n",
            frame_without_the_nonce="print('\\n' + 'f' * 32 + '{\"value\": 0}' + 'f' * 32)\n",
        ),
        "leaves_early": "print(0)\nraise SystemExit(0)\n",
        "ends_the_template_s_string": '"""\nimport os\nos._exit(0)\n"""\n',
    },
    "javascript": {
        **_wrong(
            "javascript",
            closed_comment="*/",
            open_comment="/*",
            open_template="`${",
            open_string='"',
            open_regex="/[",
            closed_brace="}",
            closed_call="});",
            open_brace="if (true) {",
            html_comment="<!--",
            script_end="</script>",
            backslash_at_the_end="\\",
            returns_at_the_top="return f;\n",
            awaits_at_the_top="await f;\n",
            holes="{{{ code }}}\n{{{ postlude }}}\n",
            separator_in_a_string='"\u2028\n"',
            hides_the_output="console.log = () => 0;\n",
        ),
        "leaves_early": "console.log(0); process.exit(0);\n",
    },
    "c": {
        **_wrong(
            "c",
            closed_comment="*/",
            open_comment="/*",
            open_string='"',
            open_brace="void g(void) {",
            closed_brace="}",
            conditional_end="#endif\n",
            conditional_else="#else\n",
            open_conditional="#if 0\n",
            backslash_at_the_end="\\",
            line_lies='#line 1 "main.c"\n#error here\n',
            missing_include='#include "x"\n',
            includes_the_driver='#include "main.c"\n',
            a_main_of_its_own='int main(void) { return puts("0"); }\n',
            renames_main="#define main other\n",
            renames_printf='#define printf(...) puts("0")\n',
            redefines_f="#define f(x) 0\n",
            redefines_keywords="#define if while\n#define return\n",
            poisons_the_driver="#pragma GCC poison printf scanf\n",
            runs_before_main='__attribute__((constructor)) void g(void) { puts("0"); }\n',
            holes="{{{ code }}}\n{{{ postlude }}}\n",
            unicode_separator="int \u2028x;\n",
            digraph="%:endif\n%>\n",
        ),
    },
    "cpp": _wrong(
        "cpp",
        open_raw_string='auto s = R"x(',
        leaves_its_namespace="}\nint f(int n, int m = 0) { return m; }\nnamespace student {\n",
        open_namespace="namespace {",
        open_template="template <",
        conditional_end="#endif\n",
    ),
    "java": {
        **_wrong(
            "java",
            closed_comment="*/",
            open_comment="/*",
            open_text_block='String s = """\n',
            open_string='String s = "',
            closed_brace="}",
            open_brace="static void g() {",
            escaped_brace="\\u007d",
            escaped_comment="\\u002f*",
            line_break_in_a_comment="// \\u000a }\n",
            another_class="} class Evil {\n",
            a_main_of_its_own="public static void main(String[] a) { System.out.println(0); }\n",
            backslash_at_the_end="\\",
            holes="// {{{ code }}}\n{{{ postlude }}}\n",
        ),
        "leaves_early": RIGHT["java"] + "static { System.out.println(0); System.exit(0); }\n",
    },
}

ODD: dict[str, dict[str, str]] = {
    "python": {
        "windows": RIGHT["python"].replace("\n", "\r\n"),
        "byte_order_mark": "\ufeff" + RIGHT["python"],
        "future": "from __future__ import annotations\n" + RIGHT["python"],
        "mentions": '"""*/ {{{ code }}} #endif\n"""\n# """\n' + RIGHT["python"],
        "no_line_break_at_the_end": RIGHT["python"].rstrip() + "  # }",
        "separators": "# \u2028 \x0c \x85\n" + RIGHT["python"],
    },
    "javascript": {
        "windows": RIGHT["javascript"].replace("\n", "\r\n"),
        "byte_order_mark": "\ufeff" + RIGHT["javascript"],
        "strict": '"use strict";\n' + RIGHT["javascript"],
        "own_names": "const fs = 1, n = 2, assayCall = 3;\n" + RIGHT["javascript"],
        "mentions": "/* `${ {{{ code }}} */ // }\n" + RIGHT["javascript"] + "// /*",
        "constant": "const f = n => 2 * n",
    },
    "c": {
        "windows": RIGHT["c"].replace("\n", "\r\n"),
        "byte_order_mark": "\ufeff" + RIGHT["c"],
        "mentions": '/* {{{ code }}} " */ // }\n' + RIGHT["c"] + '// \\" #endif',
        "own_conditional": '#if 0\n*/ " } #else\n#endif\n' + RIGHT["c"],
    },
    "cpp": {"raw_string": 'auto s = R"(/* " { #endif)";\n' + RIGHT["cpp"]},
    "java": {
        "windows": RIGHT["java"].replace("\n", "\r\n"),
        "mentions": '/* {{{ code }}} " */ // }\nstatic String s = "}/*\\"", t = """\n  } " /*\n""";\n'
        + RIGHT["java"]
        + "// {",
        "escapes": "/* \\u002a/ static int g = '\\u007b';\n" + RIGHT["java"],
    },
}
