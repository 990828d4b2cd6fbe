"""Jobs: the compiled pipeline and what travels with it."""
