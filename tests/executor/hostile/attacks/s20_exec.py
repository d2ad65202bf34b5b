# id: S-20
# title: executes files it wrote, and programs that change the uid
# stage: run
# verdicts: accepted
# canaries: C2 escaped C8
import os
import shutil
import subprocess

own = []
for place in ("/box", "/tmp", "/dev/shm", "/var/tmp", "/run"):
    try:
        shutil.copy("/bin/true", f"{place}/own")
        os.chmod(f"{place}/own", 0o6755)
        own.append([f"{place}/own"])
        with open(f"{place}/script", "w") as file:
            file.write("#!/bin/true\n")
        os.chmod(f"{place}/script", 0o755)
        own.append([f"{place}/script"])
        own.append(["/lib64/ld-linux-x86-64.so.2", f"{place}/own"])
    except OSError:
        continue
for argv in own:
    try:
        if subprocess.run(argv, capture_output=True).returncode == 0:
            print("ESCAPED executed", *argv)
    except OSError:
        pass
for argv in (["/bin/su", "-c", "id"], ["/bin/mount", "-t", "tmpfs", "none", "/tmp"], ["/usr/bin/passwd", "-S", "root"]):
    try:
        if subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0:
            print("ESCAPED executed", *argv)
    except OSError:
        pass
print(42)
