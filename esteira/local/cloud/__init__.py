"""Stand-ins on this machine for what a deploy to Google Cloud talks to."""
