"""G-06, G-08, G-09 and the leaks L-01, L-02, L-05: look for the expected outputs wherever they might be."""

from tests.executor.tricks.problems import FUNCTION, PROGRAM, SAMPLE, Trick

TRICKS = (
    Trick(
        id="G-06",
        tries="the callers' local variables",
        language="python",
        problem=FUNCTION,
        code=(
            "import sys\n"
            "def solve(n):\n"
            "    frame = sys._getframe(1)\n"
            "    while frame:\n"
            "        for name in ('expected', 'wanted', 'answer', 'output'):\n"
            "            if isinstance(frame.f_locals.get(name), int): return frame.f_locals[name]\n"
            "        frame = frame.f_back\n"
            "    return 0\n"
        ),
        verdicts=["wrong_answer"],
        fools_naive=True,
    ),
    Trick(
        id="G-06",
        tries="every object that the garbage collector knows",
        language="python",
        problem=FUNCTION,
        code=(
            "import gc\n"
            "def large(value):\n"
            "    return type(value) is int and 1 << 47 <= value < 1 << 48\n"
            "def solve(n):\n"
            "    for found in gc.get_objects():\n"
            "        if isinstance(found, tuple) and len(found) == 2 and found[0] == [n] and large(found[1]):\n"
            "            return found[1]\n"
            "    return 0\n"
        ),
        verdicts=["wrong_answer"],
        fools_naive=True,
    ),
    Trick(
        id="G-06",
        tries="constants and closures of every function",
        language="python",
        problem=FUNCTION,
        code=(
            "import gc, types\n"
            "def solve(n):\n"
            "    for found in gc.get_objects():\n"
            "        if isinstance(found, types.FunctionType):\n"
            "            values = [cell.cell_contents for cell in found.__closure__ or ()]\n"
            "            values += found.__code__.co_consts\n"
            "            for value in (*values, *vars(found).values(), *found.__globals__.values()):\n"
            "                if isinstance(value, list) and len(value) == 2 and value[0][0] == [1]:\n"
            "                    return dict((k[0], v) for k, v in value)[n]\n"
            "    return 0\n"
        ),
        verdicts=["wrong_answer"],
        fools_naive=True,
    ),
    Trick(
        id="G-06",
        tries="the source of whoever calls",
        language="python",
        problem=FUNCTION,
        code=(
            "import re, sys\n"
            "def solve(n):\n"
            "    text = open(sys.argv[0]).read()\n"
            "    found = re.search(r'\\(\\[%d\\], (\\d+)\\)' % n, text)\n"
            "    return int(found[1]) if found else 0\n"
        ),
        verdicts=["wrong_answer"],
        fools_naive=True,
    ),
    Trick(
        id="G-06",
        tries="print the source of whoever calls, and with it the marker",
        language="python",
        problem=FUNCTION,
        code=(
            "import sys\nprint(open(sys.argv[0]).read().replace('\"', '\\n'))\ndef solve(n):\n    raise ValueError\n"
        ),
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-06",
        tries="a traceback's frames",
        language="python",
        problem=FUNCTION,
        code=(
            "import sys, inspect\n"
            "def solve(n):\n"
            "    try: raise ValueError\n"
            "    except ValueError: here = sys.exc_info()[2].tb_frame\n"
            "    for outer in inspect.getouterframes(here):\n"
            "        for value in outer.frame.f_globals.values():\n"
            "            if isinstance(value, list) and value and isinstance(value[0], tuple):\n"
            "                return dict((k[0], v) for k, v in value)[n]\n"
            "    return 0\n"
        ),
        verdicts=["wrong_answer"],
        fools_naive=True,
    ),
    Trick(
        id="G-06",
        tries="its own memory and that of the processes around",
        language="python",
        problem=PROGRAM,
        code=(
            "import ctypes, os, re\n"
            "found = b''\n"
            "for pid in ('self', '1', str(os.getppid())):\n"
            "    for name in ('mem', 'environ', 'cmdline', 'maps'):\n"
            "        try: found += open(f'/proc/{pid}/{name}', 'rb').read(1 << 20)\n"
            "        except OSError: pass\n"
            "libc = ctypes.CDLL(None)\n"
            "found += b'ptrace' if libc.ptrace(16, os.getppid(), 0, 0) == 0 else b''\n"
            "numbers = re.findall(rb'\\d{15}', found)\n"
            "print(numbers[0].decode() if numbers else 0)\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-06",
        tries="its caller and the caller's variables",
        language="javascript",
        problem=FUNCTION,
        code=(
            "function solve(n) {\n"
            "  let found = 0;\n"
            "  Error.prepareStackTrace = (_, sites) => sites;\n"
            "  for (const site of new Error().stack)\n"
            "    for (const at of [site.getThis(), site.getFunction()])\n"
            "      for (const value of Object.values(at || {})) if (value > 2 ** 47) found = value;\n"
            "  Error.prepareStackTrace = undefined;\n"
            "  return found;\n}\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-06",
        tries="the source of whoever calls",
        language="javascript",
        problem=FUNCTION,
        code=(
            "function solve(n) {\n"
            "  const text = require('fs').readFileSync(process.argv[1], 'utf8');\n"
            "  const found = text.match(new RegExp(`\\\\[\\\\[${n}\\\\], (\\\\d+)\\\\]`));\n"
            "  return found ? Number(found[1]) : 0;\n}\n"
        ),
        verdicts=["wrong_answer"],
        fools_naive=True,
    ),
    Trick(
        id="G-06",
        tries="what node remembers of the main module and of all loaded ones",
        language="javascript",
        problem=FUNCTION,
        code=(
            "function solve(n) {\n"
            "  const text = JSON.stringify(Object.keys(require.cache)) + JSON.stringify(process.env) + process.argv;\n"
            "  const found = text.match(/\\d{15}/);\n"
            "  return found ? Number(found[0]) : 0;\n}\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-06",
        tries="/proc of all processes",
        language="javascript",
        problem=PROGRAM,
        code=(
            "const fs = require('fs');\nlet text = '';\n"
            "for (const pid of [1, process.pid, process.ppid])\n"
            "  for (const name of ['environ', 'cmdline', 'fd/0', 'root/program', 'root/box/main.js'])\n"
            "    try { text += fs.readFileSync(`/proc/${pid}/${name}`); } catch (error) {}\n"
            "const found = text.match(/\\d{15}/);\nconsole.log(found ? found[0] : 0);\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="L-01",
        tries="every file it may read, for a number that might be the answer",
        language="python",
        problem=PROGRAM,
        code=(
            "import os, re\n"
            "found = []\n"
            "for root, folders, names in os.walk('/'):\n"
            "    if root == '/': folders[:] = [name for name in folders if name not in ('usr', 'lib', 'bin')]\n"
            "    for name in names:\n"
            "        try: text = open(os.path.join(root, name), 'rb').read(65536) if 'dev' not in root else b''\n"
            "        except OSError: continue\n"
            "        found += re.findall(rb'(?<!\\d)\\d{15}(?!\\d)', text)\n"
            "print(found[0].decode() if found else 0)\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="L-02",
        tries="a file of expected outputs in the compiler's own words",
        language="c",
        problem=PROGRAM,
        code='#include "expected.txt"\n#include "../tests/1.out"\n#include "/etc/shadow"\nint main(void) {}\n',
        verdicts=["skipped"],
    ),
    Trick(
        id="L-02",
        tries="the assembler's own way to read a file",
        language="c",
        problem=PROGRAM,
        code='__asm__(".incbin \\"/box/expected.txt\\"");\nint main(void) {}\n',
        verdicts=["skipped"],
    ),
    Trick(
        id="G-08",
        tries="the sample by heart, and a guess for what is detected as a hidden test",
        language="python",
        problem=SAMPLE,
        code="n = input()\nprint(42 if n == '7' else int(n) * 6)\n",
        verdicts=["accepted", "wrong_answer", "wrong_answer"],
    ),
    Trick(
        id="G-08",
        tries="argv, environment, hostname, clock, directory and process numbers as signs of a test",
        language="python",
        problem=SAMPLE,
        code=(
            "import glob, os, socket, sys, time\n"
            "signs = [*sys.argv[1:], *os.environ.values(), socket.gethostname(), os.getcwd(), str(os.getpid())]\n"
            "signs += glob.glob('/**/*.out', recursive=False) + glob.glob('*.ans') + [os.path.basename(sys.argv[0])]\n"
            "numbers = [sign for sign in signs if sign.isdigit() and len(sign) == 15]\n"
            "print(numbers[0] if numbers else 42 if time.time() > 0 else 0)\n"
        ),
        verdicts=["accepted", "wrong_answer", "wrong_answer"],
    ),
    Trick(
        id="G-08",
        tries="the name behind stdin, and the file beside it",
        language="javascript",
        problem=SAMPLE,
        code=(
            "const fs = require('fs');\nlet answer = 42;\n"
            "try { answer = fs.readFileSync(fs.readlinkSync('/proc/self/fd/0').replace(/in$/, 'out'), 'utf8'); }\n"
            "catch (error) {}\n"
            "console.log(process.env.EXPECTED ?? process.env.OUTPUT ?? answer);\n"
        ),
        verdicts=["accepted", "wrong_answer", "wrong_answer"],
    ),
    Trick(
        id="G-08",
        tries="the number of its run, from the age of its own file and the numbers of its mounts",
        language="python",
        problem=PROGRAM,
        code=(
            "import os, time\n"
            "age_s = time.time() - os.stat('main.py').st_ctime\n"
            "time.sleep(0.2)\n"
            "mounts = [os.stat(place).st_dev for place in ('/program', '/box', '/tmp')]\n"
            "print([0, int(input()), sum(mounts)][min(int(age_s / 0.2), 2)])\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-09",
        tries="an answer imported from a module that the tests might have left",
        language="python",
        problem=FUNCTION,
        code=(
            "import importlib\n"
            "def solve(n):\n"
            "    for name in ('expected', 'answers', 'tests', 'test_solution', 'grader', 'executor', 'solution_key'):\n"
            "        try: return importlib.import_module(name).solve(n)\n"
            "        except ImportError: pass\n"
            "    return 0\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-09",
        tries="a system tool asked for the answer over the network",
        language="python",
        problem=PROGRAM,
        code=(
            "import subprocess\n"
            "tool = 'import socket; socket.create_connection((\"127.0.0.1\", 8000), 1)'\n"
            "done = subprocess.run(['/usr/bin/python3', '-c', tool], capture_output=True, text=True)\n"
            "print(done.stdout or 0)\n"
        ),
        verdicts=["wrong_answer"],
    ),
)
