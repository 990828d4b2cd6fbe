"""Images that the registry has already: a new one refers to their layers instead of making and sending them again."""
