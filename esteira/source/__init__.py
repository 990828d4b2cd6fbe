"""What is deployed: a git tree that stays as it is, whatever happens to the working tree meanwhile."""

from esteira.source.freeze import frozen_source
from esteira.source.source import Source, repository_name

__all__ = ["Source", "frozen_source", "repository_name"]
