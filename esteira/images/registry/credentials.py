"""Credentials for a registry, from where its user logged in: Docker's config.json and its helpers, then gcloud.

Sources: docker login's reference (config.json), docker-credential-helpers' README (their protocol).
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from esteira.errors import ProgramError, RegistryError
from esteira.images.registry.hosts import credentials_key, is_google
from esteira.process import run_program

TOKEN_USER = "<token>"
HELPER_S = 60


@dataclass(frozen=True)
class Credentials:
    """A user and a password, or an identity token, which a token server takes instead. Never shown."""

    user: str
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)


def find_credentials(host: str, environ: Mapping[str, str]) -> Optional[Credentials]:
    """Return what this machine's user has for a registry, None to ask it anonymously.

    Raises RegistryError if config.json or the helper that it names cannot be used.
    """
    found = from_docker(host, environ)
    if found is None and is_google(host):
        from esteira.images.registry.google_credentials import from_google

        found = from_google(host, environ)
    return found


def from_docker(host: str, environ: Mapping[str, str]) -> Optional[Credentials]:
    """Return what config.json holds: a registry's own helper, the helper for all, or the file itself."""
    path = config_file(environ)
    config = read_config(path)
    key = credentials_key(host)
    helper = section(config, "credHelpers").get(key) or config.get("credsStore")
    found = ask_helper(f"docker-credential-{helper}", key, environ) if helper else None
    return found or from_entry(entry_of(section(config, "auths"), key), f"{path}: auths: {key}")


def config_file(environ: Mapping[str, str]) -> Path:
    folder = environ.get("DOCKER_CONFIG") or str(Path(environ.get("HOME") or "/") / ".docker")
    return Path(folder) / "config.json"


def read_config(path: Path) -> Dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}  # where Cloud Build has a step's home, the file is root's: it is not for this user
    except (OSError, ValueError):
        config = None
    if not isinstance(config, dict):
        raise RegistryError(
            f"{path}: cannot be read as Docker's JSON settings. Mend it, or remove it and run: docker login"
        )
    return config


def section(config: Mapping[str, Any], name: str) -> Dict[str, Any]:
    value = config.get(name)
    return value if isinstance(value, dict) else {}


def entry_of(auths: Mapping[str, Any], key: str) -> Any:
    """Return a registry's entry, which older programs wrote as a URL."""
    names = (key, f"https://{key}", f"http://{key}", f"https://{key}/", f"https://{key}/v1/", f"https://{key}/v2/")
    return next((auths[name] for name in names if name in auths), None)


def from_entry(entry: Any, place: str) -> Optional[Credentials]:
    """Return an entry's credentials; None where the entry only says that a helper has them."""
    if not isinstance(entry, dict):
        return None
    user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if entry.get("auth"):
        try:
            user, _, password = base64.b64decode(str(entry["auth"]), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise RegistryError(f"{place}: auth is not base64 of user:password. Run: docker login") from None
    token = str(entry.get("identitytoken") or "")
    return Credentials(user, password.rstrip("\0"), token) if user or token else None


def ask_helper(program: str, key: str, environ: Mapping[str, str]) -> Optional[Credentials]:
    """Return what a helper of Docker's has for a registry, None if it has nothing."""
    try:
        answer = run_program([program, "get"], env=environ, input_text=key, timeout_s=HELPER_S)
    except ProgramError as error:
        if "credentials not found" in str(error):
            return None
        # By its protocol a helper that fails prints a message; one that prints more is not quoted.
        said = "" if "Secret" in str(error) else f": {error}"
        raise RegistryError(
            f"{key}: {program} gives no credentials{said}\nMend it, or run: docker login {key}"
        ) from None
    return read_answer(answer, f"{key}: {program}")


def read_answer(answer: str, place: str) -> Credentials:
    try:
        document = json.loads(answer)
        user, secret = str(document["Username"]), str(document["Secret"])
    except (ValueError, KeyError, TypeError):
        raise RegistryError(f"{place} answers with something else than JSON of Username and Secret.") from None
    return Credentials("", identity_token=secret) if user == TOKEN_USER else Credentials(user, secret)
