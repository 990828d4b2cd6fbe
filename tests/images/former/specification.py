"""The specification of a builder image: the runtime image's lock and none of the code."""

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
