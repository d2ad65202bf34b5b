# id: S-07
# title: reads what the machine and the server keep secret
# stage: run
# verdicts: accepted
# canaries: C2 C8
import glob
import os

paths = ["@CLOSED_FILE@", "@OPEN_FILE@", "/etc/shadow", "/etc/passwd", "/etc/hosts", "/root/.bashrc", "/proc/cmdline"]
for pattern in ("/proc/*/environ", "/proc/*/cmdline", "/proc/*/maps", "/proc/self/mountinfo", "/proc/sysvipc/*"):
    paths += [pattern, *glob.glob(pattern)]
paths += [os.path.join(directory, name) for directory, _, names in os.walk("/sys") for name in names][:500]
for path in paths:
    try:
        with open(path, "rb") as file:
            content = file.read(100_000)
    except OSError:
        continue
    print("ESCAPED read", path, repr(content))
try:
    print("ESCAPED lists", os.listdir("@DIRECTORY@"))
except OSError:
    print(42)
print(*(f"ESCAPED variable {name}={value}" for name, value in os.environ.items() if "SECRET" in name), sep="\n")
