"""Vertex AI: a release's run, its schedule, and the endpoint that serves its model."""
