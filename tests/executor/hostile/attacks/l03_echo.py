# id: L-03
# title: its input on both streams, in an exception, and in the exit code
# stage: run
# verdicts: runtime_error
# canaries: C8
import base64
import sys

text = sys.stdin.read()
print(text, text[::-1], text.encode().hex(), base64.b64encode(text.encode()).decode())
print(text, text[::-1], file=sys.stderr)
sys.excepthook = lambda *_: sys.__excepthook__(*_) or sys.exit(len(text))
raise ValueError(text)
