# id: S-33
# title: reads counters of the whole machine, by which a neighbor could be watched
# stage: run
# verdicts: accepted
# canaries: escaped C8
import ctypes
import os

for path in (
    "/proc/loadavg",
    "/proc/stat",
    "/proc/meminfo",
    "/proc/uptime",
    "/proc/pressure/cpu",
    "/sys/fs/cgroup/cpu.stat",
):
    try:
        open(path).read()
        print("ESCAPED reads", path)
    except OSError:
        pass
if ctypes.CDLL(None).sysinfo(ctypes.create_string_buffer(256)) == 0:
    print("ESCAPED sysinfo")
try:
    print("ESCAPED load", os.getloadavg())
except OSError:
    pass
print(42)
