"""G-15: take more time than there is, where a clock might not look. The answer, 2, is known to all."""

from collections.abc import Sequence

from tests.executor.tricks.problems import PROGRAM, SLOW, Trick, TrickProblem

LATE = ["time_limit_exceeded"]
# More than the limit of a second, in processes of their own that end by themselves.
_BURN = "import time\nwhile time.process_time() < 1.6: pass\n"


def _late(
    tries: str,
    code: str,
    *,
    language: str = "python",
    problem: TrickProblem = SLOW,
    verdicts: Sequence[str] = LATE,
) -> Trick:
    return Trick(id="G-15", tries=tries, language=language, problem=problem, code=code, verdicts=verdicts)


TRICKS = (
    _late(
        "the work in a child that is waited for",
        f"import subprocess, sys\nsubprocess.run([sys.executable or '/usr/bin/python3', '-c', {_BURN!r}])\nprint(2)\n",
    ),
    _late(
        "the work in an orphan that nobody waits for",
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        while time.process_time() < 1.6: pass\n"
        "        open('/tmp/done', 'w').close()\n"
        "    os._exit(0)\n"
        "while not os.path.exists('/tmp/done'): time.sleep(0.05)\n"
        "print(2)\n",
    ),
    _late(
        "the work shared among children, each below the limit",
        "import os, time\n"
        "children = [os.fork() or os._exit(0) if False else os.fork() for _ in range(1)]\n"
        "pids = []\n"
        "if children[0]:\n"
        "    for _ in range(3):\n"
        "        pid = os.fork()\n"
        "        if pid == 0: break\n"
        "        pids.append(pid)\n"
        "if len(pids) < 3:\n"
        "    while time.process_time() < 0.6: pass\n"
        "    os._exit(0)\n"
        "for pid in [*pids, children[0]]: os.waitpid(pid, 0)\n"
        "print(2)\n",
    ),
    _late(
        "clocks that stand still and limits that are lifted",
        "import resource, signal, time\n"
        "time.process_time = time.time = time.monotonic = lambda: 0.0\n"
        "signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n"
        "try: resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "except (OSError, ValueError): pass\n"
        "for _ in range(10 ** 9): pass\n"
        "print(2)\n",
    ),
    _late("sleeping, which costs no CPU time", "import time\ntime.sleep(30)\nprint(2)\n"),
    _late("stopping itself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(30)\nprint(2)\n"),
    _late(
        "a sleeping child that keeps stdout open after the parent has ended",
        "import os, time\nif os.fork() == 0:\n    time.sleep(30)\n    print(2)\nelse:\n    os._exit(0)\n",
        problem=PROGRAM,
        verdicts=["wrong_answer"],
    ),
    _late(
        "the work in threads",
        "const { Worker, isMainThread } = require('worker_threads');\n"
        "let left = 2;\n"
        "const done = () => { if (--left === 0) console.log(2); };\n"
        "if (isMainThread) for (let i = 0; i < 2; i++) new Worker(__filename).on('exit', done);\n"
        "else while (process.cpuUsage().user < 1.8e6);\n",
        language="javascript",
    ),
    _late(
        "the work in a child that is waited for",
        "const work = 'while (process.cpuUsage().user < 1.6e6);';\n"
        "require('child_process').spawnSync(process.execPath, ['-e', work]);\nconsole.log(2);\n",
        language="javascript",
    ),
    _late("sleeping, which costs no CPU time", "setTimeout(() => console.log(2), 30000);\n", language="javascript"),
    _late(
        "the work in threads",
        "#include <pthread.h>\n#include <stdio.h>\n#include <time.h>\n"
        "static void *work(void *unused) { struct timespec t; do clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);"
        " while (t.tv_nsec < 600000000 && !t.tv_sec); return 0; }\n"
        "int main(void) { pthread_t t[4]; for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, work, 0);\n"
        '  for (int i = 0; i < 4; i++) pthread_join(t[i], 0); puts("2"); return 0; }\n',
        language="c",
    ),
    _late(
        "the work before main, in a constructor",
        "#include <stdio.h>\n#include <time.h>\n"
        "__attribute__((constructor)) static void early(void) { while (clock() < 1.6 * CLOCKS_PER_SEC); }\n"
        'int main(void) { puts("2"); return 0; }\n',
        language="c",
    ),
    _late(
        "the work after main, in a destructor",
        "#include <stdio.h>\n#include <time.h>\n"
        "__attribute__((destructor)) static void late(void) { while (clock() < 1.6 * CLOCKS_PER_SEC); }\n"
        'int main(void) { puts("2"); fflush(stdout); return 0; }\n',
        language="c",
    ),
)
