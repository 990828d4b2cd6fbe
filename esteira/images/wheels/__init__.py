"""Wheels: which ones a lock means on the images' platform, and a store that holds them by their hashes.

Set-up runs this package in a bare interpreter, so nothing here needs more than the standard library.
"""
