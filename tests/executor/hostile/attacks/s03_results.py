# id: S-03
# title: leaves pipes, directories, devices and closed files where a judge could look for the output
# stage: run
# verdicts: wrong_answer
# canaries: C2 C5 C7 C8
# runs: 2
import os
import stat

for number, name in enumerate(("stdout", "stderr", "output", "result", "out.txt", "meta", "metadata", "time", "main")):
    try:
        if number % 4 == 0:
            os.mkfifo(name)
        elif number % 4 == 1:
            os.mkdir(name, 0)
        elif number % 4 == 2:
            open(name, "w").close()
            os.chmod(name, 0)
        else:
            os.symlink("/dev/zero", name)
    except FileExistsError:
        print("RESIDUE", name)
for kind in (stat.S_IFCHR, stat.S_IFBLK):
    try:
        os.mknod("device", kind | 0o666, os.makedev(1, 3))
        print("ESCAPED device made")
    except OSError:
        pass
os.dup2(os.open("stdout", os.O_RDWR), 1)  # what is written now goes into a pipe of its own
os.write(1, b"42\n")
