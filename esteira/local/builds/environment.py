"""What a step's process finds in its environment.

In Cloud Build a step sees what its image and the build file say. Here the image is the project's
environment, so a step gets this short list of the caller's variables and nothing else: a setting
given as ESTEIRA_SECTION_KEY must travel as a substitution, here as there.
"""

import os
import sys
from pathlib import Path
from typing import Dict, List, Mapping

# Who runs it, where, in which language, and the way to package registries, certificates, container engines and
# the credentials that images are pushed with: a registry must let a step in as it does `make images`. Where a
# rehearsal has it, a registry is asked elsewhere.
NAMES = frozenset(
    {
        *("HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "NO_COLOR", "NO_PROXY", "no_proxy"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
        *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE"),
        "GOOGLE_APPLICATION_CREDENTIALS",
        "ESTEIRA_REGISTRY_AT",
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    }
)
PREFIXES = ("LC_", "XDG_", "PIP_", "UV_", "SSL_CERT", "TF_", "CUDA", "NVIDIA_", "DOCKER_", "CONTAINER_", "CLOUDSDK_")
# Where programs are looked for if the caller has no PATH.
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


def make_environment(caller: Mapping[str, str], step: Mapping[str, str], state: Path) -> Dict[str, str]:
    """Return a step's variables: some of the caller's, ours, and then the build file's own.

    PATH starts with the folder of this interpreter, so that `python` is the project's.
    """
    kept = {name: value for name, value in caller.items() if name in NAMES or name.startswith(PREFIXES)}
    path = os.pathsep.join([os.path.dirname(sys.executable), caller.get("PATH") or DEFAULT_PATH])
    # Whatever LANG says, a log is UTF-8: its lines hold file names, labels and box-drawing characters.
    ours = {"PATH": path, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "ESTEIRA_STATE": str(state)}
    return {**kept, **ours, **step}


def read_variables(entries: List[str]) -> Dict[str, str]:
    """Return the variables of a list of KEY=VALUE; of two for one key the last holds."""
    pairs = [entry.partition("=") for entry in entries]
    return {key: value for key, _, value in pairs}
