"""Esteira: CI/CD for TFX pipelines on Google Cloud and on one machine."""
