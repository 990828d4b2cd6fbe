"""What a user edits: the model, its features and its data."""
