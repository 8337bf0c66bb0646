import { afterAll, beforeAll, expect, test } from "vitest";
import { readBucketEvent, s3Notification } from "../api/support/bucket-events.ts";
import { openClient } from "./support/client.ts";
import type { Client } from "./support/client.ts";
import { startLambdaRuntime } from "./support/lambda-runtime.ts";
import type { LambdaRuntime } from "./support/lambda-runtime.ts";
import { startServices } from "./support/services.ts";
import type { Services } from "./support/services.ts";

let services: Services;
let lambda: LambdaRuntime;
let client: Client;
let labelerPath: string;
beforeAll(async () => {
  services = await startServices();
  lambda = await startLambdaRuntime(services.env);
  client = openClient(services, lambda.url);
  const { json } = await client.ask("/v1/labelers", { body: { bucket: services.bucket } });
  labelerPath = `/v1/labelers/${String(json["id"])}`;
});
afterAll(async () => {
  await lambda?.stop();
  await services?.stop();
});

const outcomes = async () => (await client.ask(labelerPath)).json["event_counts"];
const message = (messageId: string, body: unknown) => ({
  messageId,
  body: typeof body === "string" ? body : JSON.stringify(body),
  eventSource: "aws:sqs",
  eventSourceARN: "arn:aws:sqs:eu-central-1:123456789012:photos",
});

test("messages of SQS are taken, and those that are no events are to be brought again", async () => {
  const { bucket } = services;
  const Records = [
    message("first", s3Notification({ key: "none-1.png" }, { bucket })),
    message("second", "no event"),
    message("third", s3Notification({ key: "none-2.png" }, { bucket })),
  ];
  expect(await lambda.invoke({ Records })).toEqual({
    result: { batchItemFailures: [{ itemIdentifier: "second" }] },
  });
  await expect.poll(outcomes, { timeout: 20_000 }).toMatchObject({ labelled: 0, skipped: 2 });
});

test("an event of EventBridge is taken", async () => {
  const event = readBucketEvent("eventbridge-object-created").replaceAll('"photos"', `"${services.bucket}"`);
  expect(await lambda.invoke(JSON.parse(event))).toEqual({
    result: { accepted: 1, missed: 0, ignored: 0 },
  });
});

test("what is no event fails, so that Lambda tells who runs it", async () => {
  expect(await lambda.invoke({ "detail-type": "Object Created", source: "elsewhere" })).toEqual({
    error: expect.stringContaining("The bucket events were answered 400"),
  });
});

test("while Redis is away a message fails and a request is answered 503, and both work again after it is back", async () => {
  await services.redis.redis.call("CLIENT", "PAUSE", "7000", "ALL");
  const Records = [message("first", s3Notification({ key: "none-3.png" }, { bucket: services.bucket }))];
  const [outcome, answer] = await Promise.all([lambda.invoke({ Records }), client.ask(labelerPath)]);
  expect(outcome).toEqual({ error: expect.stringContaining("The bucket events were answered 503") });
  expect([answer.status, answer.json["code"]]).toEqual([503, "overloaded"]);
  await services.redis.redis.ping();
  const again = async () => lambda.invoke({ Records });
  await expect.poll(again, { timeout: 10_000 }).toEqual({ result: { batchItemFailures: [] } });
  expect((await client.ask(labelerPath)).status).toBe(200);
});
