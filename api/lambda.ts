import { handle } from "hono/aws-lambda";
import type { LambdaContext, LambdaEvent } from "hono/aws-lambda";
import { readConfig } from "../shared/config.ts";
import { warnOfRedisFaults } from "../shared/warn-of-redis-faults.ts";
import { createApp } from "./app.ts";
import { EdgeConfig } from "./config.ts";
import { openDeps } from "./deps.ts";
import { takeBucketEvents } from "./take-bucket-events.ts";

// Opened once for all invocations of this environment, which come one at a time.
const config = readConfig(EdgeConfig, process.env);
const deps = await openDeps(config, new AbortController().signal);
const app = createApp(deps);
const answer = handle(app);
void warnOfRedisFaults(deps);

/**
 * The entry of the API on AWS Lambda: answers HTTP requests of function URLs and API Gateway, and takes bucket events that SQS
 * or EventBridge invoke it with. To SQS it answers which messages are to be brought again.
 */
export async function handler(event: LambdaEvent | BucketEvents, context: LambdaContext): Promise<unknown> {
  return "requestContext" in event ? answer(event, context) : takeBucketEvents(app, config.API_KEY, event);
}

/** What SQS or EventBridge hand over; parsed where it is taken. */
interface BucketEvents {
  Records?: unknown;
  "detail-type"?: unknown;
}
