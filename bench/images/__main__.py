"""Making images, ours against docker build and buildah: `python -m bench.images`.

One lock, one base, one set of wheels, one machine, one after the other; each way pushes to a registry of
its own on loopback, with a fresh storage. Prints tables, writes bench/results/images.json, and puts the
figures into docs. Needs docker with a running daemon, buildah,
docker-registry and 15 GB of free disk; three quarters of an hour, with nothing else going on.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Type

from bench.form import heading, write_report
from bench.images.base import make_base, push_base
from bench.images.buildah import Buildah
from bench.images.builder import Bench, Builder, programs_of
from bench.images.cases import CASES, measure_cases
from bench.images.compression import measure_compression
from bench.images.docker import BuildKitUv, DockerPip, DockerUv, buildkit_client, docker_versions
from bench.images.inputs import find_uv, make_inputs
from bench.images.ours import Ours
from bench.images.registry import run_registry
from bench.images.report import report_of, show, targets_of
from bench.images.start import measure_start
from bench.images.wheels import serve_links

BUILDERS: Dict[str, Type[Builder]] = {kind.name: kind for kind in (Ours, DockerPip, DockerUv, BuildKitUv, Buildah)}
# Whose containers are started, and whether once more without byte code.
STARTED = {"ours": (True, False), "docker-pip": (True,)}
FREE_BYTES = {"full": 15 << 30, "small": 3 << 30}
MODULES = {"full": "tfx.v1", "small": "numpy"}
SAMPLES = {"full": "tensorflow", "small": "numpy"}


def main() -> None:
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    check_programs(arguments.only)
    head, report = heading("images", "deflate", "pip"), empty_report(arguments)
    with scratch(arguments) as folder, ExitStack() as stack:
        inputs, uv = make_inputs(folder, arguments.lock), find_uv()
        layout = make_base(folder)
        url = stack.enter_context(serve_links({**inputs.files, "uv": uv}))
        base = layout.entries()[0].digest
        bench = Bench(folder, inputs, base, url, uv, f"bench-{uuid.uuid4().hex[:12]}")
        report["packages"] = len(inputs.wheels)
        report["compression"] = [asdict(row) for row in measure_compression(inputs.path(SAMPLES[arguments.lock]))]
        for name in arguments.only:
            with run_registry(folder / f"registry-{name}") as registry:
                push_base(layout, registry.host)
                measure_builder(BUILDERS[name](bench, registry), arguments, report)
    finish(head, report, arguments)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.images", description=__doc__)
    parser.add_argument("--only", type=words(list(BUILDERS)), default=list(BUILDERS), help="ways, with commas")
    parser.add_argument(
        "--cases", type=words(list(CASES)), default=list(CASES), help="cases, with commas; cold always is"
    )
    parser.add_argument(
        "--lock", choices=("full", "small"), default="full", help="small: ten packages, to try this out"
    )
    parser.add_argument("--no-twice", dest="twice", action="store_false", help="do not build from nothing once more")
    parser.add_argument("--keep", action="store_true", help="keep the scratch folder with its logs")
    parser.add_argument("--results", type=Path, help="write here and nowhere else; for the full bench: bench/results")
    return parser.parse_args()


def words(known: List[str]) -> Callable[[str], List[str]]:
    def parse(text: str) -> List[str]:
        chosen = text.split(",")
        if set(chosen) - set(known):
            raise argparse.ArgumentTypeError(f'"{text}"; expected some of {",".join(known)}')
        return [name for name in known if name in chosen]

    return parse


def check_programs(names: List[str]) -> None:
    missing = [program for program in programs_of(names) if shutil.which(program) is None]
    if missing:
        raise SystemExit(
            f"{', '.join(missing)}: not on the PATH. Run: apt-get install docker.io buildah docker-registry"
        )
    if "buildkit-uv" in names and not buildkit_client():
        raise SystemExit(
            "docker: this client cannot use BuildKit. Install buildx, or leave buildkit-uv out with --only"
        )


@contextmanager
def scratch(arguments: argparse.Namespace) -> Iterator[Path]:
    """Give a folder with enough room, and remove it unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="esteira-bench-"))
    try:
        free, needed = shutil.disk_usage(folder).free, FREE_BYTES[arguments.lock]
        if free < needed:
            raise SystemExit(
                f"{folder}: {free / 1e9:.0f} GB free; expected {needed / 1e9:.0f} GB. Set TMPDIR to a larger disk"
            )
        yield folder
    finally:
        if arguments.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def empty_report(arguments: argparse.Namespace) -> Dict[str, Any]:
    lists = ("measurements", "start", "compression", "targets")
    return {
        "lock": arguments.lock,
        "versions": versions(arguments.only),
        "same_digest": {},
        **{name: [] for name in lists},
    }


def versions(names: List[str]) -> Dict[str, str]:
    found = {"uv": first_line(str(find_uv()), "--version").split()[1]}
    found["zlib"] = zlib.ZLIB_RUNTIME_VERSION
    found["docker-registry"] = first_line("docker-registry", "--version").split()[-1]
    if any(name not in ("ours", "buildah") for name in names):
        found.update(docker_versions())
    if "buildah" in names:
        found["buildah"] = first_line("buildah", "--version").split()[2]
    return found


def first_line(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()[0]


def measure_builder(builder: Builder, arguments: argparse.Namespace, report: Dict[str, Any]) -> None:
    def done(measurement: Any) -> None:
        report["measurements"].append(asdict(measurement))
        print(f"{builder.name}, {measurement.case}: {measurement.build_s} + {measurement.push_s} s", flush=True)

    try:
        builder.prepare()
        first, last = measure_cases(builder, arguments.cases, done)
        module = MODULES[arguments.lock]
        for byte_code in STARTED.get(builder.name, ()) if shutil.which("docker") else ():
            found = measure_start(builder.start_image(last), module, byte_code=byte_code)
            image = builder.name if byte_code else f"{builder.name}, its byte code passed over"
            report["start"].append({"image": image, "module": module, **found})
        if arguments.twice:
            report["same_digest"][builder.name] = builder.make_anew().image == first.image
        if isinstance(builder, Buildah):
            report["versions"]["buildah_storage"] = builder.driver
    finally:
        builder.close()
        if not arguments.keep:
            shutil.rmtree(builder.folder, ignore_errors=True)


def finish(head: Dict[str, Any], report: Dict[str, Any], arguments: argparse.Namespace) -> None:
    report["targets"] = [asdict(target) for target in targets_of(report["measurements"])]
    show(report)
    whole = arguments.lock == "full" and arguments.only == list(BUILDERS) and arguments.cases == list(CASES)
    if arguments.results or whole:
        write_report(report_of(head, report), arguments.results)


if __name__ == "__main__":
    main()
