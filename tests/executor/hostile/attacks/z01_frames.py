# id: Z-01
# title: the frames that called it: what they hold, and what they will do next
# stage: run
# verdicts: accepted
# canaries: C2 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import gc
import re
import sys

WORD = re.compile("PLANTED-[a-z]+-[0-9a-f]{16}")
own = set(WORD.findall(sys.stdin.read()))
outer, frame = [], sys._getframe().f_back
while frame:
    outer.append(frame)
    frame = frame.f_back
outer += [frame for frame in sys._current_frames().values() if frame is not sys._getframe()]
for frame in outer:
    for space in (frame.f_locals, frame.f_globals, {"code": frame.f_code, "constants": frame.f_code.co_consts}):
        pending, seen = list(space.values()), set()
        while pending and len(seen) < 300_000:
            thing = pending.pop()
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if isinstance(thing, (str, bytes)):
                words = set(WORD.findall(thing if isinstance(thing, str) else thing.decode("latin-1"))) - own
                print(*(f"ESCAPED {word} of {frame.f_code.co_name}\n" for word in words), sep="", end="")
            else:
                pending += gc.get_referents(thing)
    if frame.f_globals.get("left_behind"):
        print("ESCAPED into the frames of the next run")
    frame.f_globals["left_behind"] = True
    for name, value in [*frame.f_globals.items()]:
        if callable(value) and frame.f_globals is not globals() and not name.startswith("__"):
            frame.f_globals[name] = lambda *_, **__: None
print(42)
