"""The specification of a builder image, with the runtime image's lock and none of the code, and an environment."""

BUILDER = """base = "python"
lock = "requirements.lock"
folders = []
workdir = "/workspace"
entrypoint = []
command = ["python"]
user = "65532:65532"
env = {}
labels = {}
"""
CLOUD = """[environments.dev]
project = "demo-project"
region = "europe-west1"
bucket = "demo-bucket"
repository = "images"
"""
