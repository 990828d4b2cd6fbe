"""A deploy of ours, from the command to the arrival of its job."""

from typing import Any, Dict

from bench.deploy.measured import measure
from bench.deploy.scene import EDITED, Scene

COMMANDS = {kind: ("make", f"deploy-{kind}", "ENV=dev", "WAIT=0") for kind in ("partial", "full")}


def measure_ours(scene: Scene, kind: str, number: str) -> Dict[str, Any]:
    """Change what calls for a deploy of that kind, deploy it, and return the seconds until its job arrived."""
    scene.change(scene.repository, EDITED[kind]["ours"], f"ours {number}")
    return measure(scene, COMMANDS[kind], log=f"ours-{kind}")
