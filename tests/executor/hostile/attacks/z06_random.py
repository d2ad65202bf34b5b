# id: Z-06
# title: what is drawn by chance: seeded for whoever comes next, and compared with whoever came before
# stage: run
# verdicts: accepted
# canaries: C4 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import os
import random
import secrets
import sys
import tempfile
import uuid

given = sys.stdin.read()
drawn = [random.random(), random.getrandbits(64), uuid.uuid4().hex, secrets.token_hex(8), os.urandom(8).hex()]
drawn.append(next(tempfile._get_candidate_names()))
print(*drawn, file=sys.stderr)
print("hashes", hash("x"), hash(b"x"), [*{"a", "b", "c", "d"}], file=sys.stderr)
random.seed(4711)
foretold = random.random()
print("ESCAPED a seed of an earlier run" if foretold == drawn[0] else 42)
random.seed(4711)
tempfile._name_sequence = iter(["left", "behind"])
tempfile.tempdir = "/tmp/left-behind"
