"""The engine's own versions: how one is made, how a fork takes a newer one, and what CHANGELOG.md says of each.

What is deployed is a release; what the engine is given out as is a version.
"""
