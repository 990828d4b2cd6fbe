"""TFX's command line, told where Vertex AI stands in and that nobody asks who one is: `python anonymous.py run …`.

It has no flags for that. What is imported here the command imports itself, and the rest is its own work.
"""

import os
import sys

from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from tfx.tools.cli.cli_main import cli_group

aiplatform.init(
    project="demo-project",
    location="europe-west1",
    api_endpoint=os.environ["CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM"].rstrip("/"),
    api_transport="rest",
    credentials=AnonymousCredentials(),
)
sys.exit(cli_group())
