"""What must exist in a Google Cloud project: planned, made, checked, removed."""
