# id: S-30
# title: leaves its mark in every place it can write to
# stage: run
# verdicts: accepted
# canaries: C4 C8
# runs: 2
import os

for directory, folders, files in os.walk("/"):
    if directory.startswith(("/usr", "/lib", "/proc/", "/sys")):
        folders.clear()
        continue
    for name in files + folders:
        if "@MARK@" in name:
            print("RESIDUE", directory, name)
    for act in (
        lambda: open(f"{directory}/file-@MARK@", "w").close(),
        lambda: os.mkdir(f"{directory}/directory-@MARK@"),
        lambda: os.symlink("@MARK@", f"{directory}/link-@MARK@"),
        lambda: os.mkfifo(f"{directory}/pipe-@MARK@"),
        lambda: os.setxattr(directory, "user.mark", b"@MARK@"),
    ):
        try:
            act()
        except OSError:
            pass
for path in ("/dev/null", "/dev/zero", "/usr/bin/python3", "/program", "/dev"):
    for change in (lambda path: os.utime(path, (7, 7)), lambda path: os.setxattr(path, "user.mark", b"@MARK@")):
        try:
            change(path)
            print("ESCAPED changed", path)
        except OSError:
            pass
    if os.path.exists(path) and os.stat(path).st_mtime == 7:
        print("RESIDUE in the times of", path)
print(42)
