"""Google Cloud's REST APIs, asked with google-auth and requests alone."""
