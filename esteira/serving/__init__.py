"""Serving a SavedModel over HTTP: the server, its client and its smoke test."""
