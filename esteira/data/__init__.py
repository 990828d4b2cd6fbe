"""The data that a model is trained on: fetched, read, made distinct, split and described."""
