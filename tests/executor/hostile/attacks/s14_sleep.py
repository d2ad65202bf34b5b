# id: S-14
# title: sleeps
# stage: run
# verdicts: time_limit_exceeded
# canaries: C7 C8
# wall_limit_ms: 700
import time

time.sleep(3600)
