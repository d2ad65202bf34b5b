# id: S-17
# title: a constant too large to be folded, and code nested too deep to be parsed
# stage: run
# verdicts: memory_limit_exceeded runtime_error
# canaries: C5 C7 C8
print(len("a" * 10**10))
eval("(" * 100_000)
