"""Google's own client on a stand-in: submits the job at a path, reads it and prints what it has read.

Run: python -m tests.vertex.real_client URL JOB_FILE RUN LABELS
"""

import json
import sys

from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform


def main() -> None:
    url, path, run, labels = sys.argv[1:]
    aiplatform.init(
        project="demo-project",
        location="europe-west1",
        credentials=AnonymousCredentials(),
        api_endpoint=url.rstrip("/") + "/aiplatform",
        api_transport="rest",
    )
    job = aiplatform.PipelineJob(
        display_name="sentiment",
        template_path=path,
        job_id=run,
        labels=json.loads(labels),
        failure_policy="fast",
        encryption_spec_key_name="projects/p/locations/l/keyRings/r/cryptoKeys/k",
    )
    job.submit(
        service_account="esteira-run@demo-project.iam.gserviceaccount.com", network="projects/1/global/networks/n"
    )
    told = {"link": job._dashboard_uri(), "state": job.state.name}
    told["tasks"] = {detail.task_name: detail.state.name for detail in job.task_details}
    told["pushed"] = dict(job.task_details[-1].outputs["pushed_model"].artifacts[0].metadata)
    schedule = job.create_schedule(
        cron="0 6 * * 1",
        display_name="esteira-sentiment",
        max_concurrent_run_count=1,
        service_account="esteira-run@demo-project.iam.gserviceaccount.com",
        network="projects/1/global/networks/n",
    )
    told["schedule"] = schedule.state.name
    print(json.dumps(told))


if __name__ == "__main__":
    main()
