"""The files of a test: the program laid out anew for each, nothing left of the one before."""

import os
import stat

from executor.engines.judge0.loop.tree import Stop

PROGRAM = "program"
# Only in Judge0's box are these directories the job's own; anywhere else they are left alone.
BOX, SCRATCH = "/box", ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  emptied, never written to
IPC = ("shm", "sem", "msg")


def program_files() -> "dict[str, tuple[int, bytes]]":
    """The program as it was unpacked and compiled, with its modes: on disk a test could change it for the next.

    Raises:
        Stop: there is more than plain files.
    """
    program = {}
    for name in os.listdir(PROGRAM):
        path = PROGRAM + "/" + name
        mode = os.lstat(path).st_mode
        if not stat.S_ISREG(mode):
            raise Stop("a compiler that left more than files")
        with open(path, "rb") as file:
            program[name] = (stat.S_IMODE(mode), file.read())
    return program


def furnish(home: str, program: "dict[str, tuple[int, bytes]]") -> None:
    """Leave nothing of the test before, and lay out the program."""
    clear(home)
    if home == BOX:
        for directory in filter(os.path.isdir, SCRATCH):
            clear(directory, of_uid=os.getuid())
    os.mkdir(PROGRAM)
    for name, (mode, content) in program.items():
        path = PROGRAM + "/" + name
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)


def clear(directory: str, of_uid: "int | None" = None) -> None:
    """Remove what is in a directory, or what of it is somebody's."""
    for name in os.listdir(directory):
        path = directory + "/" + name
        info = os.lstat(path)
        if of_uid is not None and info.st_uid != of_uid:
            continue
        if stat.S_ISDIR(info.st_mode):
            os.chmod(path, 0o700)
            clear(path)
            os.rmdir(path)
        else:
            os.unlink(path)


def nameless(content: "bytes | None" = None) -> "tuple[int, int]":
    """A file without a name, as two descriptors: ours, and the test's, to read where there is content, else to write.

    Files, as in a job of its own: the limit on their size ends a flood.
    """
    path = "descriptor"
    ours = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    theirs = os.open(path, os.O_WRONLY if content is None else os.O_RDONLY)
    os.unlink(path)
    while content:
        content = content[os.write(ours, content) :]
    return ours, theirs


def content_of(descriptor: int, limit_bytes: int) -> bytes:
    """What a file holds, from its beginning."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    content = b""
    while len(content) < limit_bytes:
        piece = os.read(descriptor, limit_bytes - len(content))
        if not piece:
            break
        content += piece
    return content


def ipc_objects() -> "list[list[str]]":
    """The System V objects of our uid, which outlive processes."""
    found = []
    for kind in IPC:
        try:
            with open("/proc/sysvipc/" + kind) as file:
                head, *rows = [line.split() for line in file]
        except OSError:
            continue  # a kernel without them
        found += [[kind, *row[:2]] for row in rows if int(row[head.index("uid")]) == os.getuid()]
    return found
