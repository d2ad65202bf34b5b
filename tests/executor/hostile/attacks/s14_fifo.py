# id: S-14
# title: waits for the other end of a named pipe
# stage: run
# verdicts: time_limit_exceeded
# canaries: C4 C7 C8
# wall_limit_ms: 700
import os

os.mkfifo("pipe")
open("pipe").read()
