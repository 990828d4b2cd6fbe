"""Layers: tar archives whose bytes follow from what they hold, and from nothing else."""
