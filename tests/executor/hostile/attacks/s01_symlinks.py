# id: S-01
# title: puts links to a file of the machine where a judge could read or write next
# stage: run
# verdicts: accepted
# canaries: C2 C4 C8
# runs: 2
import os

for place in (".", "/tmp", "/program", "/", "/dev/shm"):
    for name in ("main.py", "program", "stdin", "stdout", "stderr", "metadata", "input", "output", "run", "compile"):
        path = os.path.join(place, name)
        for act in (os.unlink, lambda path: os.symlink("@CLOSED_FILE@", path)):
            try:
                act(path)
            except OSError:
                pass
for target in ("@OPEN_FILE@", "@CLOSED_FILE@"):
    try:
        os.link(target, "hard")
        print("ESCAPED hard link to", target)
    except OSError:
        pass
print(42)
