# id: S-02
# title: makes a helper that changes modes, owners or deletes follow a link out
# stage: run
# verdicts: accepted
# canaries: C2 C4 C8
# runs: 2
import os

for name in ("tree", "/tmp/tree"):
    os.makedirs(f"{name}/deep", exist_ok=True)
    for link in ("directory", "deep/directory"):
        os.symlink("@DIRECTORY@", f"{name}/{link}")
    os.symlink("@CLOSED_FILE@", f"{name}/file")
    os.chmod(f"{name}/deep", 0)
for path in (
    "@CLOSED_FILE@",
    "@OPEN_FILE@",
    "@DIRECTORY@",
    "main.py",
    "/",
    "/program",
    "/dev/null",
    "/usr/bin/python3",
):
    for act in (
        lambda path: os.chmod(path, 0o777),
        lambda path: os.chown(path, 0, 0),
        lambda path: os.truncate(path, 0),
        lambda path: os.utime(path),
    ):
        try:
            act(path)
            print("ESCAPED changed", path)
        except OSError:
            pass
print(42)
