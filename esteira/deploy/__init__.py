"""Deploys: from a plan to a release that is served."""
