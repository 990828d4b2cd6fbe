"""What a server writes of each request before it answers, and how that is read again."""
