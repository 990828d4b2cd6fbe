"""Finding the container engine of this machine: Docker or Podman, whichever answers."""

from dataclasses import dataclass
from typing import List, Mapping, Tuple

from esteira.errors import ImageError, ProgramError
from esteira.process import run_program

PROBE_TIMEOUT_S = 15.0
# Asks for the server's word, so that a client alone does not pass for an engine; then, who root in a container is.
DOCKER_PROBE = ("version", "--format", "{{.Server.Version}}")
DOCKER_SECURITY = ("info", "--format", "{{json .SecurityOptions}}")
PODMAN_PROBE = ("info", "--format", "{{.Host.Security.Rootless}}")


@dataclass(frozen=True)
class Engine:
    """An engine that answered. `program` is docker or podman; `rootless`: it runs without root's rights."""

    program: str
    environ: Mapping[str, str]
    rootless: bool = False

    def ask(self, *arguments: str, timeout_s: float = 60) -> str:
        """Return what the engine's program wrote; ProgramError if it failed."""
        return run_program([self.program, *arguments], env=self.environ, timeout_s=timeout_s)

    @property
    def removal(self) -> Tuple[str, ...]:
        """The command that ends and removes the containers whose names follow it, at once."""
        # Podman first asks them to end, and waits for ten seconds; Docker's rm has no such option.
        at_once = ("--time", "0") if self.program == "podman" else ()
        return (self.program, "rm", "--force", *at_once)


def find_engine(environ: Mapping[str, str]) -> Engine:
    """Return Docker if it answers, else Podman; ImageError, with what each of them said, if none does."""
    faults: List[str] = []
    for probe in (probe_docker, probe_podman):
        try:
            return probe(environ)
        except ProgramError as error:
            faults.append(describe_fault(error))
    tried = "\n".join(f"  {fault}" for fault in faults)
    raise ImageError(
        f"no container engine answers here:\n{tried}\n"
        "Expected Docker or Podman. Install one of them (docker.io or podman on Debian and Ubuntu), start it, and see "
        "that `docker version` answers for this user; ISOLATION=fork needs none."
    )


def probe_docker(environ: Mapping[str, str]) -> Engine:
    engine = Engine("docker", environ)
    engine.ask(*DOCKER_PROBE, timeout_s=PROBE_TIMEOUT_S)
    return Engine("docker", environ, "name=rootless" in engine.ask(*DOCKER_SECURITY, timeout_s=PROBE_TIMEOUT_S))


def probe_podman(environ: Mapping[str, str]) -> Engine:
    answer = Engine("podman", environ).ask(*PODMAN_PROBE, timeout_s=PROBE_TIMEOUT_S)
    return Engine("podman", environ, answer.strip() == "true")


def describe_fault(error: ProgramError) -> str:
    """Return an engine's complaint in one line: that it is missing, or the last thing that it said."""
    lines = str(error).splitlines()
    if "no such program" in lines[0]:
        return lines[0]
    return f"{lines[0].split()[0]}: {lines[-1].strip()}"
