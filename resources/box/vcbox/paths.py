"""Where things lie on the box. The base folders can be given as arguments, which is how tests run in a temporary root."""

from dataclasses import dataclass
from pathlib import Path

GROUP = "vaultcube"


@dataclass(frozen=True)
class Paths:
    """`state`: jobs, lock and bundle. `opt`: code and Ansible, writable by root alone. `run`: what the next start of the machine
    may forget, of root alone."""

    state: Path = Path("/var/lib/vault-cube")
    opt: Path = Path("/opt/vault-cube")
    run: Path = Path("/run/vault-cube")

    @property
    def jobs(self) -> Path:
        return self.state / "jobs"

    @property
    def lock(self) -> Path:
        return self.state / "lock"

    @property
    def launch_lock(self) -> Path:
        return self.state / "launch.lock"

    @property
    def bundle(self) -> Path:
        return self.state / "bundle"

    @property
    def tree(self) -> Path:
        return self.state / "bundle" / "tree"

    @property
    def apt(self) -> Path:
        return self.state / "apt"

    @property
    def ansible(self) -> Path:
        return self.opt / "ansible"

    def attempt(self, job: str, attempt: int) -> Path:
        return self.jobs / job / str(attempt)
