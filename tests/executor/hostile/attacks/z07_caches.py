# id: Z-07
# title: registries, caches and contexts of the standard library, filled for whoever runs next
# stage: run
# verdicts: accepted
# canaries: C4 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import codecs
import collections.abc
import copyreg
import decimal
import encodings
import fnmatch
import functools
import gc
import importlib
import linecache
import locale
import logging
import mimetypes
import os
import re
import sys
import warnings

given = sys.stdin.read()


class Left:
    pass


def known(name):
    try:
        return codecs.lookup(name) is not None
    except LookupError:
        return False


signs = {
    "codec": known("leftbehind"),
    "encoding": "leftbehind" in encodings._cache and encodings._cache["leftbehind"] is not None,
    "pickle": any(kind.__name__ == "Left" for kind in copyreg.dispatch_table),
    "registered": any(
        "Left" in repr(one) for one in importlib.import_module("_abc")._get_dump(collections.abc.Sized)[0]
    ),
    "pattern": any("left-behind" in str(key) for key in re._cache),
    "file name": fnmatch._compile_pattern.cache_info().currsize,
    "line": "left-behind" in linecache.cache,
    "importer": "left-behind" in sys.path_importer_cache or "left-behind" in sys.path,
    "finder": any(isinstance(finder, Left) for finder in sys.meta_path + sys.path_hooks),
    "warnings": any("left-behind" in str(one) for one in warnings.filters),
    "log": logging.getLogger().handlers or "left-behind" in logging.root.manager.loggerDict,
    "decimal": decimal.getcontext().prec != 28,
    "variable": "LEFT_BEHIND" in os.environ,
    "type": "application/left-behind" in mimetypes.types_map.values(),
    "recursion": sys.getrecursionlimit() != 1000,
    "digits": sys.get_int_max_str_digits() != 4300,
    "collector": not gc.isenabled() or any(callable(one) for one in gc.callbacks) or gc.get_threshold()[0] == 17,
    "interval": abs(sys.getswitchinterval() - 0.005) > 0.001,
    "locale": locale.setlocale(locale.LC_CTYPE) == "C",
}
left = [name for name, sign in signs.items() if sign]
print(f"ESCAPED left by an earlier run: {left}" if left else 42)

codecs.register(lambda name: codecs.lookup("utf-8") if name == "leftbehind" else None)
codecs.lookup("leftbehind")
copyreg.pickle(Left, lambda one: (Left, ()))
collections.abc.Sized.register(Left)
re.compile("left-behind")
fnmatch.fnmatch("a", "left-behind")
linecache.cache["left-behind"] = (1, None, ["42\n"], "left-behind")
sys.path_importer_cache["left-behind"] = None
sys.path.insert(0, "left-behind")
sys.meta_path.insert(0, Left())
Left.find_spec = lambda self, name, path=None, target=None: None
warnings.filterwarnings("ignore", "left-behind")
logging.getLogger("left-behind").info("left")
logging.basicConfig(filename="/dev/null")
decimal.getcontext().prec = 3
os.environ["LEFT_BEHIND"] = "1"
mimetypes.add_type("application/left-behind", ".left")
sys.set_int_max_str_digits(640)
gc.callbacks.append(lambda *_: None)
gc.set_threshold(17)
gc.disable()
sys.setswitchinterval(0.5)
functools.lru_cache(lambda: None)()
locale.setlocale(locale.LC_CTYPE, "C")
sys.stdout.flush()
sys.setrecursionlimit(200)
