"""Hermetic images: a function of files in the repository, without a daemon, without RUN, without a clock."""
