"""What made a release or a model: asked of the manifests and the metadata of runs, told as text and as a picture."""

from esteira.release.lineage.readers import part_uses
from esteira.release.lineage.trace import lineage_of

__all__ = ["lineage_of", "part_uses"]
