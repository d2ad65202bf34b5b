"""What this machine has of what the sandbox wants, for people to read. The engine relies on its own proof only."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from executor.engines.base import EngineUnavailable, Toolchain
from executor.engines.sandbox import seccomp
from executor.engines.sandbox.host import find_program
from executor.engines.sandbox.inbox import landlock
from executor.engines.sandbox.kit import Kit
from executor.engines.sandbox.recipes import recipes_for

_TRY_S = 30
_NEW_USER_NAMESPACE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000) < 0:
    raise SystemExit(os.strerror(ctypes.get_errno()))
"""
_APPARMOR = Path("/sys/module/apparmor/parameters/enabled")
_APPARMOR_RESTRICTS = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing about the machine. `fix` is what helps where it is not as it should be, else empty."""

    name: str
    value: str
    fix: str = ""


def facts(*, uid_for_root: int) -> Iterator[Fact]:
    """What the machine offers to hold programs with."""
    system = os.uname()
    yield Fact(name="system", value=f"{system.sysname} {system.release} on {system.machine}")
    uid = uid_for_root if os.geteuid() == 0 else os.geteuid()
    yield Fact(name="programs run as", value=f"uid {uid}" + (", given up root" if os.geteuid() == 0 else ""))
    interpreter = find_program("python3")
    yield Fact(name="python3", value=interpreter or "missing", fix="" if interpreter else "apt-get install python3")
    yield _bubblewrap()
    yield _user_namespaces(interpreter, uid)
    yield _apparmor()
    yield _landlock()
    yield _seccomp()


def kit_facts(kit: Kit, toolchains: Iterable[Toolchain]) -> Iterator[Fact]:
    """What of the kit can be used."""
    for recipe in recipes_for(toolchains):
        missing = kit.missing(recipe)
        yield Fact(name=f"kit: {recipe.part}", value="there" if missing is None else missing)


def _bubblewrap() -> Fact:
    path = find_program("bwrap")
    if path is None:
        return Fact(name="bubblewrap", value="missing", fix="apt-get install bubblewrap")
    return Fact(name="bubblewrap", value=_said([path, "--version"]).removeprefix("bubblewrap "))


def _user_namespaces(interpreter: str | None, uid: int) -> Fact:
    if interpreter is None:
        return Fact(name="user namespaces", value="not tried: python3 is missing")
    refusal = _said([interpreter, "-I", "-c", _NEW_USER_NAMESPACE], uid=uid)
    # Where AppArmor allows them to bubblewrap alone, this says no and all is well.
    return Fact(name="user namespaces", value=f"refused to python3: {refusal}" if refusal else "allowed")


def _apparmor() -> Fact:
    if _read(_APPARMOR) != "Y":
        return Fact(name="AppArmor", value="not active")
    if _read(_APPARMOR_RESTRICTS) != "1":
        return Fact(name="AppArmor", value="active, and does not restrict user namespaces")
    return Fact(name="AppArmor", value="restricts user namespaces to programs with a profile", fix="sudo script/setup")


def _landlock() -> Fact:
    version = landlock.abi() if sys.platform == "linux" else 0
    is_enough = version >= landlock.NEEDED_ABI
    return Fact(
        name="Landlock",
        value=f"version {version}; tier C needs {landlock.NEEDED_ABI}",
        fix="" if is_enough else "Linux 6.12 or newer, with landlock among its lsm=; without it there is no tier C",
    )


def _seccomp() -> Fact:
    try:
        seccomp.allow_list()
    except EngineUnavailable as error:
        return Fact(name="system-call filters", value="missing", fix=str(error).partition(": ")[2])
    actions = _read(Path("/proc/sys/kernel/seccomp/actions_avail"))
    return Fact(name="system-call filters", value="libseccomp" + ("" if actions else "; the kernel does not say"))


def _said(argv: list[str], uid: int | None = None) -> str:
    user = uid if os.geteuid() == 0 else None
    try:
        done = subprocess.run(
            argv, env={}, cwd="/", user=user, group=user, capture_output=True, timeout=_TRY_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return (done.stdout + done.stderr).decode(errors="replace").strip()[-200:]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
