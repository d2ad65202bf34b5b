"""The embedded sandbox: runs programs in bubblewrap boxes on this machine, without root, daemons or cgroups."""

from executor.engines.sandbox.engine import SandboxEngine

__all__ = ["SandboxEngine"]
