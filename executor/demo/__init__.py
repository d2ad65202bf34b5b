"""The demo course, and the programs that `script/demo` hands in for it."""
