"""`script/setup`, run for real on machines that lack this or that.

A machine is made of this one by bubblewrap: /usr/bin and /etc are replaced by folders of links to what it shall have,
and apt by stand-ins that write down what they are asked. Nothing is installed.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pip
import pytest

from tests.shell import ROOT, clean_environment, run

APT_GET = """#!/bin/sh
echo "$*" >>{log}
case "$*" in *update*) touch {updated} ;; esac
case "$*" in *install*) {on_install} ;; esac
exit 0
"""
APT_CACHE = """#!/bin/sh
case " {absent} " in *" $2 "*) echo "  Candidate: (none)" ;; *) echo "  Candidate: 1.0" ;; esac
"""
PYTHON_3_9 = '#!/bin/sh\ncase "$1" in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac\n'


MANAGE = 'import sys\nprint("made:", *sys.argv[1:])\n'


class Machine:
    """A clone of the scripts, and a /usr/bin for them."""

    def __init__(self, directory: Path) -> None:
        self.clone = directory / "clone"
        self.etc = directory / "etc"
        self._bin, self._real_bin = directory / "bin", directory / "real-bin"
        self._log, self._updated = directory / "apt.log", directory / "updated"
        real_etc = directory / "real-etc"
        self._kernel = directory / "kernel"
        for folder, real in ((self._bin, self._real_bin), (self.etc, real_etc)):
            folder.mkdir()
            real.mkdir()
        for name in os.listdir("/usr/bin"):
            real = Path("/usr/bin", name)
            # A link that leads out of the folder would lead elsewhere from its new place.
            leads_out = real.is_symlink() and os.readlink(real).startswith("../")
            (self._bin / name).symlink_to(real.resolve() if leads_out else self._real_bin / name)
        for name in os.listdir("/etc"):
            if name != "apparmor.d":
                (self.etc / name).symlink_to(real_etc / name)
        (self.etc / "apparmor.d").mkdir()
        self._kernel.mkdir()
        self._mounts = (
            *("--bind", "/usr/bin", self._real_bin, "--bind", self._bin, "/usr/bin"),
            *("--bind", "/etc", real_etc, "--bind", self.etc, "/etc"),
            *("--bind", self._kernel, "/proc/sys/kernel"),
        )
        (self.clone / "script").mkdir(parents=True)
        for name in ("setup", "lib.sh"):
            shutil.copy(ROOT / "script" / name, self.clone / "script")
        (self.clone / "manage.py").write_text(MANAGE)
        # What every environment has already, so that nothing is fetched.
        (self.clone / "requirements.txt").write_text("pip\n")
        (self.clone / "requirements-dev.txt").write_text("-r requirements.txt\n")
        self.has_apt()

    def has_apt(self, *, absent: Sequence[str] = (), on_install: str = "true") -> None:
        """Stand-ins for apt: packages the archive lacks, and what a shell does when something is installed."""
        self.has("apt-cache", APT_CACHE.format(absent=" ".join(absent)))
        on_install = on_install.replace("UPDATED", str(self._updated))
        self.has("apt-get", APT_GET.format(log=self._log, updated=self._updated, on_install=on_install))

    def has(self, name: str, script: str) -> None:
        """Put a program of our own into /usr/bin."""
        self.lacks(name)
        (self._bin / name).write_text(script)
        (self._bin / name).chmod(0o755)

    def has_restricted_namespaces(self) -> None:
        """As Ubuntu 24.04: only programs with an AppArmor profile may make user namespaces."""
        (self._kernel / "apparmor_restrict_unprivileged_userns").write_text("1\n")

    def lacks(self, *names: str) -> None:
        """Take programs out of /usr/bin."""
        for name in names:
            (self._bin / name).unlink(missing_ok=True)

    def setup(
        self,
        *arguments: str,
        uid: int = 0,
        cwd: Path | None = None,
        hidden: Sequence[Path] = (),
        search_path: str = "/usr/bin:/bin",
    ) -> subprocess.CompletedProcess[str]:
        """Run script/setup on this machine as this user."""
        box = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--uid", str(uid), "--gid", str(uid)]
        for path in hidden:
            box += ["--tmpfs", str(path)]
        box += [str(word) for word in self._mounts]
        # Whatever this machine has besides is out of sight.
        environment = clean_environment(PATH=search_path)
        script = self.clone / "script" / "setup"
        return run(*box, script, *arguments, cwd=cwd or self.clone, environment=environment)

    @property
    def apt_calls(self) -> list[str]:
        """What apt-get was asked, without its options."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [" ".join(word for word in line.split() if not word.startswith(("-", "Dpkg", "DPkg"))) for line in lines]


@pytest.fixture(scope="module")
def set_up_clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One clone that is set up already, to be copied.

    Installing pip into an environment takes seconds, so it is lent from ours; one test below makes one from nothing.
    """
    machine = Machine(tmp_path_factory.mktemp("machine"))
    environment = machine.clone / ".venv"
    assert run("/usr/bin/python3", "-m", "venv", "--without-pip", environment).returncode == 0
    (packages,) = environment.glob("lib/python3*/site-packages")
    shutil.copytree(Path(pip.__file__).parent, packages / "pip")
    (own,) = Path(pip.__file__).parent.parent.glob("pip-*.dist-info")
    shutil.copytree(own, packages / own.name)
    done = machine.setup()
    assert done.returncode == 0, done.stdout
    assert "Making .venv" not in done.stdout
    return machine.clone


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def ready_machine(machine: Machine, set_up_clone: Path) -> Machine:
    shutil.copytree(set_up_clone / ".venv", machine.clone / ".venv", symlinks=True)
    return machine


class TestPython:
    def test_the_second_time_nothing_is_left_to_do(self, ready_machine: Machine) -> None:
        done = ready_machine.setup()
        assert done.returncode == 0
        assert done.stdout.splitlines() == [
            "Python packages: already there",
            "Sandbox and compilers: already there",
            "made: sandbox_setup",
            "Ready.",
        ]

    def test_it_works_from_anywhere(self, ready_machine: Machine, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        done = ready_machine.setup(cwd=elsewhere)
        assert done.returncode == 0
        assert "already there" in done.stdout
        assert not list(elsewhere.iterdir())

    def test_changed_requirements_are_installed_once(self, ready_machine: Machine) -> None:
        (ready_machine.clone / "requirements.txt").write_text("pip  # changed\n")
        assert "installing requirements.txt" in ready_machine.setup().stdout
        assert "installing" not in ready_machine.setup().stdout

    def test_dev_asks_for_more_and_then_both_are_there(self, ready_machine: Machine) -> None:
        assert "installing requirements-dev.txt" in ready_machine.setup("--dev").stdout
        assert "installing" not in ready_machine.setup("--dev").stdout
        assert "installing" not in ready_machine.setup().stdout

    def test_packages_that_cannot_be_installed_are_tried_again(self, ready_machine: Machine) -> None:
        (ready_machine.clone / "requirements.txt").write_text("./missing-folder\n")
        for _ in range(2):
            done = ready_machine.setup()
            assert done.returncode == 1
            assert "could not be installed" in done.stdout

    def test_an_environment_whose_python_is_gone_is_made_anew(self, ready_machine: Machine) -> None:
        for name in ("python", "python3"):
            link = ready_machine.clone / ".venv" / "bin" / name
            link.unlink()
            link.symlink_to("/nonexistent/python")
        done = ready_machine.setup()
        assert done.returncode == 0, done.stdout
        assert "making it anew" in done.stdout

    def test_an_old_python_is_named(self, machine: Machine) -> None:
        machine.lacks(*(f"python3.{minor}" for minor in range(11, 20)))
        machine.has("python3", PYTHON_3_9)
        done = machine.setup()
        assert done.returncode == 1
        assert "Python 3.11 or newer is needed, and this machine has Python 3.9.2." in done.stdout

    def test_no_python_at_all_is_named(self, machine: Machine) -> None:
        machine.lacks("python3", *(f"python3.{minor}" for minor in range(11, 20)))
        done = machine.setup()
        assert done.returncode == 1
        assert "this machine has no python3 at all" in done.stdout

    @pytest.mark.parametrize("uid", [0, 1000])
    def test_without_the_venv_package_it_says_what_to_type(self, machine: Machine, uid: int) -> None:
        hidden = [path for path in Path("/usr/lib").glob("python3.*/ensurepip") if path.is_dir()]
        assert hidden
        done = machine.setup(uid=uid, hidden=hidden)
        assert done.returncode == 1
        assert "Type: sudo apt-get install python3-venv" in done.stdout
        # Root has it installed first; this stand-in of apt brings nothing.
        assert machine.apt_calls == (["install python3-venv"] if uid == 0 else [])
        assert not (machine.clone / ".venv").exists()


class TestSystemPackages:
    def test_root_has_installed_what_is_missing_and_nothing_else(self, ready_machine: Machine) -> None:
        ready_machine.lacks("bwrap", "javac", "node")
        done = ready_machine.setup()
        assert done.returncode == 0, done.stdout
        assert ready_machine.apt_calls == ["install bubblewrap default-jdk-headless nodejs"]

    @pytest.mark.parametrize("option", ["--languages", "--dev"])
    def test_the_further_languages_are_installed_where_asked_for(self, ready_machine: Machine, option: str) -> None:
        ready_machine.lacks("tsc", "go", "rustc", "ruby", "php", "sqlite3")
        assert ready_machine.setup().returncode == 0
        assert ready_machine.apt_calls == []
        assert ready_machine.setup(option).returncode == 0
        assert ready_machine.apt_calls == ["install node-typescript golang-go rustc ruby php-cli sqlite3"]

    def test_a_kit_that_cannot_be_made_is_told_and_never_fatal(self, ready_machine: Machine) -> None:
        (ready_machine.clone / "manage.py").write_text("raise SystemExit('the disk is full')\n")
        done = ready_machine.setup()
        assert done.returncode == 0, done.stdout
        assert "the disk is full" in done.stdout
        assert "the kit is not there" in done.stdout

    def test_what_the_archive_lacks_is_reported_and_left_out(self, ready_machine: Machine) -> None:
        ready_machine.lacks("javac", "node")
        ready_machine.has_apt(absent=["nodejs"])
        done = ready_machine.setup()
        assert done.returncode == 0, done.stdout
        assert "archive has no 'nodejs'; it is left out" in done.stdout
        assert ready_machine.apt_calls == ["update", "install default-jdk-headless"]

    def test_old_package_lists_are_refreshed_once(self, ready_machine: Machine) -> None:
        ready_machine.lacks("g++")
        ready_machine.has_apt(on_install="[ -e UPDATED ] || exit 100")
        done = ready_machine.setup()
        assert done.returncode == 0, done.stdout
        assert ready_machine.apt_calls == ["install g++", "update", "install g++"]

    def test_an_installation_that_fails_is_reported_and_never_fatal(self, ready_machine: Machine) -> None:
        ready_machine.lacks("g++", "node")
        ready_machine.has_apt(on_install="echo E: the disk is full >&2; exit 100")
        done = ready_machine.setup()
        assert done.returncode == 0, done.stdout
        assert "'g++' could not be installed" in done.stdout
        assert "'nodejs' could not be installed" in done.stdout
        assert "the disk is full" in done.stdout

    def test_without_root_it_says_what_to_type(self, ready_machine: Machine) -> None:
        ready_machine.lacks("bwrap", "node")
        done = ready_machine.setup(uid=1000)
        assert done.returncode == 0, done.stdout
        assert "sudo apt-get install --no-install-recommends bubblewrap nodejs" in done.stdout
        assert "bubblewrap: the sandbox: without it nothing can be judged" in done.stdout
        assert ready_machine.apt_calls == []

    def test_without_apt_it_names_what_is_missing(self, ready_machine: Machine) -> None:
        ready_machine.lacks("node", "apt-get")
        done = ready_machine.setup()
        assert done.returncode == 0, done.stdout
        assert "nodejs: JavaScript programs" in done.stdout
        assert "your system's package manager" in done.stdout

    def test_a_version_managers_program_does_not_count(self, ready_machine: Machine, tmp_path: Path) -> None:
        # The sandbox would not see it either.
        ready_machine.lacks("node")
        shims = tmp_path / "shims"
        shims.mkdir()
        (shims / "node").write_text("#!/bin/sh\n")
        (shims / "node").chmod(0o755)
        assert "nodejs: JavaScript" in ready_machine.setup(uid=1000, search_path=f"{shims}:/usr/bin:/bin").stdout


class TestAppArmor:
    """The stand-in of `apparmor_parser` writes down what it is given; that Ubuntu's kernel obeys is not shown here."""

    @pytest.fixture
    def ubuntu(self, ready_machine: Machine) -> Machine:
        ready_machine.has_restricted_namespaces()
        ready_machine.has("apparmor_parser", f'#!/bin/sh\necho "$*" >>{ready_machine.clone}/parsed\n')
        return ready_machine

    def test_root_lets_bubblewrap_make_namespaces_once_and_says_so(self, ubuntu: Machine) -> None:
        assert "letting bubblewrap make namespaces, by /etc/apparmor.d/bwrap" in ubuntu.setup().stdout
        profile = (ubuntu.etc / "apparmor.d" / "bwrap").read_text()
        assert "profile bwrap /usr/bin/bwrap flags=(unconfined) {\n  userns,\n" in profile
        assert "AppArmor" not in ubuntu.setup().stdout
        assert (ubuntu.clone / "parsed").read_text() == "--replace /etc/apparmor.d/bwrap\n"

    def test_a_profile_of_the_administrators_stays_as_it_is(self, ubuntu: Machine) -> None:
        (ubuntu.etc / "apparmor.d" / "own").write_text("profile own /usr/bin/bwrap {\n}\n")
        assert "AppArmor" not in ubuntu.setup().stdout
        assert not (ubuntu.etc / "apparmor.d" / "bwrap").exists()

    def test_without_root_it_says_what_to_type(self, ubuntu: Machine) -> None:
        done = ubuntu.setup(uid=1000)
        assert done.returncode == 0
        assert "To allow it, type: sudo script/setup" in done.stdout
        assert not list((ubuntu.etc / "apparmor.d").iterdir())

    def test_a_machine_without_the_restriction_is_left_alone(self, ready_machine: Machine) -> None:
        assert "AppArmor" not in ready_machine.setup().stdout
        assert not list((ready_machine.etc / "apparmor.d").iterdir())
