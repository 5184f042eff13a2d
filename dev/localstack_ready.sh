#!/usr/bin/env bash
# LocalStack runs this when it is ready: it makes what dev/sam_local.json names, for functions of `sam local`.
set -euo pipefail
export AWS_DEFAULT_REGION=eu-north-1 # of samconfig.toml, which the functions call

for queue in els-register-batch els-register-batch-dead-letters els-steer-batch els-steer-batch-dead-letters els-provision-content els-provision-content-dead-letters els-unknown-events els-heard; do
    awslocal sqs create-queue --queue-name "$queue"
done

# The queue els-heard receives what the functions announce:
#   awslocal sqs receive-message --queue-url http://localhost:4566/000000000000/els-heard
awslocal events create-event-bus --name els-out
awslocal events put-rule --name els-heard --event-bus-name els-out --event-pattern '{"source": ["els"]}'
awslocal events put-targets --rule els-heard --event-bus-name els-out \
    --targets "Id=heard,Arn=arn:aws:sqs:$AWS_DEFAULT_REGION:000000000000:els-heard"
