# id: S-15
# title: leaves what is hard to delete: closed directories, odd names, files in use
# stage: run
# verdicts: accepted
# canaries: C3 C4 C7 C8
# runs: 2
import os

for place in ("/box", "/tmp"):
    for name in (b"\xff\xfe", b"-rf", b"a\nb", b"*", b" ", b"\xe2\x80\xaebidi", b"n" * 255, b"@MARK@"):
        path = place.encode() + b"/" + name
        os.mkdir(path)
        open(path + b"/file", "w").close()
        os.chmod(path + b"/file", 0)
        os.chmod(path, 0)
os.chdir("/tmp")
if os.fork() == 0:
    kept = open("/tmp/used", "w")
    os.execv("/bin/sleep", ["@MARK@", "60"])
print(42)
