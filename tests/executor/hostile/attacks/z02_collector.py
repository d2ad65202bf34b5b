# id: Z-02
# title: every container the collector knows: what others left in it, and a mark for whoever comes next
# stage: run
# verdicts: accepted
# canaries: C2 C4 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import gc
import re
import sys

WORD = re.compile("PLANTED-[a-z]+-[0-9a-f]{16}")
MARK = "left " + "behind"
own = set(WORD.findall(sys.stdin.read()))
pending, seen, words = [*gc.get_objects(), *gc.get_referrers(None)[:1000]], set(), set()
containers = [thing for thing in pending if type(thing) in (dict, list, set) and thing is not pending]
while pending:
    thing = pending.pop()
    if id(thing) in seen:
        continue
    seen.add(id(thing))
    if isinstance(thing, str):
        words.update(WORD.findall(thing))
    elif isinstance(thing, (bytes, bytearray)):
        words.update(WORD.findall(thing.decode("latin-1")))
    else:
        pending += gc.get_referents(thing)
marked = 0
for held in containers:
    last = held[-1:] if type(held) is list else held
    marked += held is not globals() and MARK in [one for one in last if type(one) is str]
print(*(f"ESCAPED {word}\n" for word in sorted(words - own)), sep="", end="")
print(f"ESCAPED {marked} marks of an earlier run" if marked else 42)
sys.stdout.flush()
for held in containers:
    try:
        held.update({MARK: MARK}) if type(held) is dict else held.add(MARK) if type(held) is set else held.append(MARK)
    except Exception:
        continue
__import__("os")._exit(0)
