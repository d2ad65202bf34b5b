"""G-12 (with S-22 and S-30): remember one test in the next. Only who can do that counts further than 1.

What no program needs to remember is the clock: from the age of its own file it can tell how many runs went before. That
tells it nothing of any answer; peeking.py tries it on hidden values. So no trick here reads a clock.
"""

from tests.executor.tricks.problems import COUNTING, Trick

FORGETFUL = ["accepted", "wrong_answer", "wrong_answer"]


def _keep(tries: str, code: str, *, language: str = "python") -> Trick:
    return Trick(id="G-12", tries=tries, language=language, problem=COUNTING, code=code, verdicts=FORGETFUL)


TRICKS = (
    _keep(
        "a file in every directory that can be written",
        "import os\ncount = 1\n"
        "places = ['.', '/tmp', '/var/tmp', '/dev/shm', '/dev/mqueue', '/run/lock', '/var/crash', '/program', '/']\n"
        "seen = [place + '/seen' for place in (*places, os.environ.get('HOME', '/'))]\n"
        "for mode in 'ra':\n"
        "    for path in seen:\n"
        "        try:\n"
        "            with open(path, mode) as file:\n"
        "                if mode == 'r': count = max(count, len(file.read()) + 1)\n"
        "                else: file.write('x')\n"
        "        except OSError:\n            pass\n"
        "print(count)\n",
    ),
    _keep(
        "its own source and compiled code",
        "import os, py_compile\ncount = 1\n"
        "try:\n"
        "    os.chmod('main.py', 0o644)\n    open('main.py', 'a').write('# ' + 'again')\n"
        "except OSError:\n    pass\n"
        "library = '/usr/lib/python3/dist-packages/'\n"
        "for name in ('main.py', library + 'sitecustomize.py', 'sitecustomize.py', 'usercustomize.py'):\n"
        "    try:\n"
        "        open(name, 'a').write('import builtins; builtins.again = 2\\n')\n        py_compile.compile(name)\n"
        "    except (OSError, py_compile.PyCompileError):\n        pass\n"
        "print(getattr(__builtins__, 'again', open('main.py').read().count('# ' + 'again') + 1))\n",
    ),
    _keep(
        "the times and rights of files that all runs share",
        "import os, time\ncount = 1\n"
        "for path in 'main.py /program /program/main.py / /usr /dev/null /dev /proc /etc /tmp'.split():\n"
        "    try:\n"
        "        if os.stat(path).st_mtime == 777: count = 2\n"
        "        os.utime(path, (777, 777))\n"
        "    except OSError:\n        pass\n"
        "print(count)\n",
    ),
    _keep(
        "a process that outlives its run and holds the count",
        "import os, socket, time\ncount = 1\n"
        "path = '/tmp/daemon'\n"
        "try:\n"
        "    client = os.open(path, os.O_RDWR | os.O_NONBLOCK)\n    os.read(client, 1)\n    count = 2\n"
        "except OSError:\n    pass\n"
        "print(count, flush=True)\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        try: os.mkfifo(path)\n"
        "        except OSError: pass\n"
        "        keep = os.open(path, os.O_RDWR)\n"
        "        while True:\n"
        "            os.write(keep, b'x')\n            time.sleep(0.05)\n"
        "    os._exit(0)\n"
        "os._exit(0)\n",
    ),
    _keep(
        "sockets, abstract ones among them",
        "import socket, os\ncount = 1\n"
        "for address in '\\0seen', '/tmp/seen', ('127.0.0.1', 45871):\n"
        "    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET\n"
        "    try:\n"
        "        one = socket.socket(family)\n"
        "        if one.connect_ex(address) == 0: count = 2\n"
        "        one.close()\n"
        "        two = socket.socket(family)\n        two.bind(address)\n        two.listen()\n"
        "        if os.fork() == 0: __import__('time').sleep(60)\n"
        "    except OSError:\n        pass\n"
        "print(count)\n",
    ),
    _keep(
        "shared memory, queues and keys of the kernel",
        "import ctypes, mmap\nlibc = ctypes.CDLL(None, use_errno=True)\ncount = 1\n"
        "memory = libc.shmget(4711, 4096, 0o1666)\n"
        "if memory >= 0:\n"
        "    libc.shmat.restype = ctypes.c_void_p\n"
        "    cell = ctypes.cast(libc.shmat(memory, None, 0), ctypes.POINTER(ctypes.c_int))\n"
        "    cell[0] += 1\n    count = cell[0]\n"
        "queue = libc.msgget(4711, 0o1666)\n"
        "if queue >= 0 and libc.msgrcv(queue, ctypes.create_string_buffer(64), 8, 0, 0o4000) >= 0: count = 2\n"
        "libc.msgsnd(queue, ctypes.create_string_buffer(b'\\1' + bytes(7) + b'x', 64), 8, 0o4000)\n"
        "if libc.syscall(249, b'user', b'seen', 0, -4) > 0: count = 2\n"
        "libc.syscall(248, b'user', b'seen', b'x', 1, -4)\n"
        "try:\n"
        "    from multiprocessing import shared_memory\n"
        "    shared_memory.SharedMemory('seen', create=True, size=1)\n"
        "except FileExistsError:\n    count = 2\n"
        "except (OSError, ImportError):\n    pass\n"
        "print(count)\n",
    ),
    _keep(
        "locks on a file that all runs share",
        "import fcntl, os, time\ncount = 1\n"
        "for path in ('main.py', '/usr/bin/python3', '/dev/null'):\n"
        "    try:\n"
        "        one = os.open(path, os.O_RDONLY)\n"
        "        fcntl.lockf(one, fcntl.LOCK_SH | fcntl.LOCK_NB)\n"
        "        fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "    except BlockingIOError:\n        count = 2\n"
        "    except OSError:\n        pass\n"
        "print(count, flush=True)\n"
        "if os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\n"
        "os._exit(0)\n",
    ),
    _keep(
        "a file in every directory that can be written",
        "const fs = require('fs'); let count = 1;\n"
        "const places = ['.', '/tmp', '/var/tmp', '/dev/shm', '/run', '/program', process.env.HOME || '/'];\n"
        "for (const place of places)\n"
        "  try { count = Math.max(count, fs.readFileSync(`${place}/seen`, 'utf8').length + 1); } catch (error) {}\n"
        "for (const place of places)\n"
        "  try { fs.appendFileSync(`${place}/seen`, 'x'); } catch (error) {}\n"
        "console.log(count);\n",
        language="javascript",
    ),
    _keep(
        "a detached process that outlives its run",
        "const fs = require('fs');\n"
        "console.log(fs.existsSync('/tmp/alive') || fs.existsSync('/dev/shm/alive') ? 2 : 1);\n"
        "try {\n"
        "  const child = require('child_process').spawn('/bin/sh',\n"
        "    ['-c', 'while :; do touch /tmp/alive /dev/shm/alive; sleep 0.05; done'],\n"
        "    { detached: true, stdio: 'ignore' });\n"
        "  child.on('error', () => {});\n  child.unref();\n"
        "} catch (error) {}\n",
        language="javascript",
    ),
    _keep(
        "its own source",
        "const fs = require('fs'); let count = fs.readFileSync(__filename, 'utf8').split('// again' + '!').length;\n"
        "try { fs.chmodSync(__filename, 0o644); fs.appendFileSync(__filename, '// again' + '!'); } catch (error) {}\n"
        "console.log(count);\n",
        language="javascript",
    ),
    _keep(
        "its own program file, and files beside it",
        "#include <stdio.h>\n#include <sys/stat.h>\n"
        "int main(void) {\n"
        '  int count = 1; const char *places[] = {"seen", "program", "/tmp/seen", "/dev/shm/seen", "/var/tmp/seen"};\n'
        "  for (int i = 0; i < 5; i++) {\n"
        "    struct stat found; chmod(places[i], 0777);\n"
        "    if (i != 1 && stat(places[i], &found) == 0) count = 2;\n"
        '    FILE *file = fopen(places[i], "a"); if (file) { fputs("x", file); fclose(file); }\n'
        "  }\n"
        '  printf("%d\\n", count); return 0; }\n',
        language="c",
    ),
    _keep(
        "shared memory with a name and with a key",
        "#include <fcntl.h>\n#include <stdio.h>\n#include <sys/mman.h>\n#include <sys/shm.h>\n#include <unistd.h>\n"
        "int main(void) {\n"
        "  int count = 1, memory = shmget(4711, 4096, IPC_CREAT | 0666);\n"
        '  int named = shm_open("/seen", O_CREAT | O_RDWR, 0666);\n'
        "  if (memory >= 0) { int *cell = shmat(memory, 0, 0); if (cell != (int *)-1) count = ++*cell; }\n"
        "  if (named >= 0) { if (lseek(named, 0, SEEK_END) > 0) count = 2; else ftruncate(named, 4096); }\n"
        '  printf("%d\\n", count); return 0; }\n',
        language="c",
    ),
)
