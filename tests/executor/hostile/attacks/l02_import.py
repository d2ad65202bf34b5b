# id: L-02
# title: data files read as modules, whose syntax errors quote them
# stage: run
# verdicts: wrong_answer runtime_error
# canaries: C2 C8 escaped
import importlib.util
import runpy
import sys
import traceback

for path in ("@PLANTED@/open", "expected.txt", "../expected.txt", "/proc/self/environ", "/etc/passwd", "/dev/stdin"):
    try:
        runpy.run_path(path)
    except BaseException:
        traceback.print_exc()
    try:
        spec = importlib.util.spec_from_loader("seen", importlib.machinery.SourceFileLoader("seen", path))
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    except BaseException:
        traceback.print_exc()
sys.exit(3)
