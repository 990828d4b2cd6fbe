"""A stand-in for Cloud Build: runs a build file step by step on this machine."""
