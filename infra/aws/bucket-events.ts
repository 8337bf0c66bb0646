import { Duration } from "aws-cdk-lib";
import { Rule } from "aws-cdk-lib/aws-events";
import { SqsQueue } from "aws-cdk-lib/aws-events-targets";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

/** How often an event is brought, with three minutes between: for a day. */
const TRIES = 500;

/**
 * New objects of the source buckets, told to the API: S3 → EventBridge → SQS → the function. The queue is there since EventBridge
 * invokes a function without waiting for it: Lambda would try an event that fails three times within minutes, and a Redis may be
 * away for longer. It also keeps a flood of events from taking all of the API's concurrency.
 */
export class BucketEvents extends Construct {
  readonly queue: Queue;
  /** What was given up on: events that EventBridge could not queue, and those that the API did not take for a day. */
  readonly failed: Queue;

  constructor(scope: Construct, id: string, props: { buckets: string[]; lambda: LambdaFunction }) {
    super(scope, id);
    const { buckets, lambda } = props;
    const queue = (name: string, more: object) =>
      new Queue(this, name, {
        encryption: QueueEncryption.SQS_MANAGED,
        enforceSSL: true,
        retentionPeriod: Duration.days(14),
        ...more,
      });
    this.failed = queue("Failed", {});
    this.queue = queue("Queue", {
      // Six times the function's timeout, as AWS asks for.
      visibilityTimeout: Duration.seconds(180),
      deadLetterQueue: { queue: this.failed, maxReceiveCount: TRIES },
    });
    new Rule(this, "Rule", {
      description: "New objects that Tresline may label",
      eventPattern: {
        source: ["aws.s3"],
        detailType: ["Object Created"],
        detail: { bucket: { name: buckets } },
      },
      targets: [
        new SqsQueue(this.queue, {
          deadLetterQueue: this.failed,
          retryAttempts: 185,
          maxEventAge: Duration.days(1),
        }),
      ],
    });
    lambda.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: 100,
        maxBatchingWindow: Duration.seconds(1),
        reportBatchItemFailures: true,
        maxConcurrency: 5,
      }),
    );
  }
}
