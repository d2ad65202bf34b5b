"""G-04: return objects that lie about what they equal."""

from tests.executor.tricks.problems import FUNCTION, Trick


def _lie(tries: str, code: str, verdict: str, *, fools_naive: bool, language: str = "python") -> Trick:
    return Trick(
        id="G-04",
        tries=tries,
        language=language,
        problem=FUNCTION,
        code=code,
        verdicts=[verdict],
        fools_naive=fools_naive,
    )


_EQUAL = "    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n    __hash__ = None\n"

TRICKS = (
    _lie(
        "an object equal to everything",
        f"class Same:\n{_EQUAL}def solve(n):\n    return Same()\n",
        "wrong_answer",
        fools_naive=True,
    ),
    _lie(
        "an int equal to everything",
        f"class Same(int):\n{_EQUAL}def solve(n):\n    return Same()\n",
        "wrong_answer",
        fools_naive=True,
    ),
    _lie(
        "a float equal to everything",
        f"class Same(float):\n{_EQUAL}def solve(n):\n    return Same()\n",
        "wrong_answer",
        fools_naive=True,
    ),
    _lie(
        "a text equal to everything",
        f"class Same(str):\n{_EQUAL}def solve(n):\n    return Same()\n",
        "wrong_answer",
        fools_naive=True,
    ),
    _lie(
        "a list equal to everything",
        f"class Same(list):\n{_EQUAL}    def __len__(self): return 1\ndef solve(n):\n    return Same()\n",
        "wrong_answer",
        fools_naive=True,
    ),
    _lie(
        "a dict equal to everything that lies about its keys",
        f"class Same(dict):\n{_EQUAL}    def items(self): return [('value', 1)] * 3\n"
        "def solve(n):\n    return Same()\n",
        "wrong_answer",
        fools_naive=True,
    ),
    _lie(
        "unittest.mock.ANY",
        "from unittest.mock import ANY\ndef solve(n):\n    return ANY\n",
        "wrong_answer",
        fools_naive=True,
    ),
    _lie(
        "an object whose class is said to be int, and whose hash is every hash",
        "class Same:\n    __class__ = property(lambda self: int)\n    def __ne__(self, other): return False\n"
        "    def __hash__(self): return 1\n    def __index__(self): return 1\n    def __bool__(self): return True\n"
        "def solve(n):\n    return Same()\n",
        "wrong_answer",
        fools_naive=True,
    ),
    _lie(
        "a comparison that reads the right answer off its other side and becomes it",
        "class Copy(int):\n    seen = 0\n"
        "    def __ne__(self, other):\n        Copy.seen = other\n        return False\n"
        "    def __repr__(self): return str(Copy.seen)\n    __str__ = __repr__\n"
        "def solve(n):\n    return Copy()\n",
        "wrong_answer",
        fools_naive=True,
    ),
    _lie(
        "a comparison that ends the process",
        "import os\nclass End:\n    def __ne__(self, other): os._exit(0)\ndef solve(n):\n    return End()\n",
        "wrong_answer",
        fools_naive=True,
    ),
    _lie(
        "an int that prints as another number",
        "class Other(int):\n    def __repr__(self): return '7'\n    __str__ = __format__ = __repr__\n"
        "    def __int__(self): return 7\ndef solve(n):\n    return Other(0)\n",
        "wrong_answer",
        fools_naive=False,
    ),
    _lie(
        "values that are no JSON: a set, bytes, a generator, the function itself",
        "def solve(n):\n    return [{1}, b'0', (x for x in 'ab'), solve][n]\n",
        "wrong_answer",
        fools_naive=False,
    ),
    _lie(
        "a value that contains itself",
        "def solve(n):\n    value = []\n    value.append(value)\n    return value\n",
        "wrong_answer",
        fools_naive=False,
    ),
    _lie(
        "an object whose toJSON takes away the difference",
        "const solve = (n) => ({ toJSON() { JSON.stringify = () => 'same'; return 0; } });\n",
        "wrong_answer",
        fools_naive=False,
        language="javascript",
    ),
    _lie(
        "an object that converts to whatever is wanted",
        "const solve = (n) => ({ valueOf: () => n, toString: () => 'x', [Symbol.toPrimitive]: (hint) => true });\n",
        "wrong_answer",
        fools_naive=False,
        language="javascript",
    ),
    _lie(
        "a proxy that has every property",
        "const solve = (n) => new Proxy({}, { get: (target, name) => (name === 'then' ? undefined : 1),"
        " has: () => true, ownKeys: () => ['value'],"
        " getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }) });\n",
        "wrong_answer",
        fools_naive=False,
        language="javascript",
    ),
    _lie(
        "a getter that answers differently each time",
        "let times = 0;\nconst solve = (n) => ({ get value() { return times++; } });\n",
        "wrong_answer",
        fools_naive=False,
        language="javascript",
    ),
    _lie(
        "numbers that are none: an object, a big integer, a date",
        "const solve = (n) => [new Number(0), 0n, new Date(0)][n];\n",
        "wrong_answer",
        fools_naive=False,
        language="javascript",
    ),
    _lie(
        "nothing at all",
        "const solve = (n) => undefined;\n",
        "wrong_answer",
        fools_naive=False,
        language="javascript",
    ),
)
