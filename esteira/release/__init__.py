"""Releases: parts named by their content, the manifest, and the pointer `current`."""
