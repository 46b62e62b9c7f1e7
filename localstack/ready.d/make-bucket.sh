#!/usr/bin/env bash
# LocalStack runs this each time it has started: the bucket that billable files go to.
set -euo pipefail
awslocal s3 mb "s3://${BILLABLE_BUCKET:-siua-billable-customers}"
