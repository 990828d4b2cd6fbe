"""The request log, what is read from it, and what it says about the model."""
