import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import type { ServerType } from "@hono/node-server";
import { PutObjectCommand, PutObjectTaggingCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { BucketEvent } from "../../api/events/bucket-event.ts";
import { parseEvents } from "../../api/events/parse-delivery.ts";
import { ClassifyObjectPayload } from "../../shared/contracts/queue-payloads.ts";
import { queueNames } from "../../shared/queue.ts";
import { putLabeler } from "../../shared/state/labelers.ts";
import { labelerRecord } from "../support/labeler-record.ts";
import { notifyOfObjects } from "../support/notify-of-objects.ts";
import { readQueue } from "../support/queue-reader.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";
import { makeBuckets } from "../support/test-s3.ts";

const ceph = inject("s3");
const TOKEN = "events-token+0123456789";
const bucket = `events-${Date.now()}`;

let api: TestApi;
let server: ServerType;
let client: S3Client;
/** What Ceph has posted. */
const posted: BucketEvent[] = [];
/** How many of its requests are refused at first. */
let refusals = 2;

beforeAll(async () => {
  api = await startTestApi({ S3_EVENTS_TOKEN: TOKEN });
  const listening = Promise.withResolvers<AddressInfo>();
  const fetch = async (request: Request) => {
    if (refusals-- > 0) return new Response(null, { status: 503 });
    posted.push(...parseEvents(await request.clone().text()));
    return api.app.fetch(request);
  };
  server = serve({ fetch, port: 0, hostname: "127.0.0.1" }, listening.resolve);
  const { port } = await listening.promise;
  client = await makeBuckets(bucket);
  const token = encodeURIComponent(TOKEN);
  await notifyOfObjects(ceph, client, bucket, `http://127.0.0.1:${port}/v1/events/s3?token=${token}`);
});
afterAll(async () => {
  client.destroy();
  server.close();
  await api.close();
});

const put = (key: string, body = "x") =>
  client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));

test("what Ceph posts is queued under the keys that its objects have, though it was refused at first", async () => {
  const labeler = labelerRecord({ bucket, prefix: "in/" });
  await putLabeler(api.redis.redis, labeler);
  const queue = queueNames.objects(labeler.model);
  const queuedKeys = async () =>
    (await readQueue(api.redis.redis, queue))
      .map(({ payload }) => ClassifyObjectPayload.parse(payload).key)
      .toSorted();
  const keys = ["in/new photo+é 100%.jpg", "in/日本/🦊.png", "in/again.jpg"];
  for (const key of [...keys, "out/other.jpg", "in/a.jpg.tresline.json", "in/again.jpg"])
    await put(key, String(performance.now()));
  const Tagging = { TagSet: [{ Key: "tresline.label", Value: "cat" }] };
  await client.send(new PutObjectTaggingCommand({ Bucket: bucket, Key: "in/again.jpg", Tagging }));
  await put("in/last.jpg");
  await expect
    .poll(queuedKeys, { timeout: 60_000 })
    .toEqual([...keys, "in/again.jpg", "in/last.jpg"].toSorted());
  const byTime = posted.toSorted((a, b) => Date.parse(a.eventTime) - Date.parse(b.eventTime));
  const sequencers = byTime.map(({ sequencer = "" }) => sequencer);
  expect(sequencers, "they grow with time").toEqual(sequencers.toSorted());
  for (const { source, etag, size } of posted) {
    expect([source, typeof etag, typeof size]).toEqual(["ceph:s3", "string", "number"]);
  }
}, 90_000);
