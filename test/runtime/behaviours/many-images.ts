import { parquetReadObjects } from "hyparquet";
import { expect } from "vitest";
import { BatchResult } from "../../../shared/contracts/batch.ts";
import { readBucketEvent } from "../../api/support/bucket-events.ts";
import type { BUCKET_EVENTS } from "../../api/support/bucket-events.ts";
import { sample } from "../../support/figures.ts";
import { CHART, pathOf, wait } from "../support/behaviour.ts";
import type { Behaviours } from "../support/behaviour.ts";
import type { Client } from "../support/client.ts";
import { EVENTS_TOKEN } from "../support/services.ts";

/** Every connection to Redis that is not this test's own question. */
const connections = async ({ redis }: Client) =>
  String(await redis.redis.call("CLIENT", "LIST"))
    .trim()
    .split("\n").length;

/** How many images are labelled: of a batch, of a bucket, of many requests at once. */
export const MANY_IMAGES: Behaviours = {
  async "a batch is labelled, and its results are read as lines and as a file of bytes"({
    ask,
    server,
    untilEnded,
  }) {
    const names = [CHART, "qr_code_08.png", "none"];
    const items = names.map((name) => ({
      custom_id: name,
      image: name === "none" ? { data: "data:image/png;base64,bm9uZQ==" } : { url: `${server.url}/${name}` },
    }));
    const accepted = await ask("/v1/batches", { body: { items, output_formats: ["parquet", "csv"] } });
    expect(accepted.status).toBe(202);
    const batch = await untilEnded(pathOf(accepted));
    expect(batch["request_counts"]).toEqual({ total: 3, succeeded: 2, failed: 1, canceled: 0 });
    const { text } = await ask(`${pathOf(accepted)}/results`);
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => BatchResult.parse(JSON.parse(line)));
    expect(lines.map(({ predictions, error }) => predictions?.[0]?.label ?? error?.code)).toEqual([
      "bar_chart",
      "qr_code",
      "invalid_image",
    ]);
    const parquet = await ask(`${pathOf(accepted)}/results?format=parquet`);
    const rows = await parquetReadObjects({ file: parquet.bytes.buffer });
    expect(rows.map(({ custom_id, score }) => [custom_id, score])).toEqual(
      lines.map(({ custom_id, predictions }) => [custom_id, predictions?.[0]?.score ?? null]),
    );
    const csv = await ask(`${pathOf(accepted)}/results`, { headers: { accept: "text/csv" } });
    expect(csv.text.trimEnd().split("\n")).toHaveLength(4);
    expect((await ask(pathOf(accepted), { method: "DELETE" })).status).toBe(204);
    expect((await ask(pathOf(accepted))).status).toBe(404);
  },

  "an object that any vendor's event tells of is labelled": async (client) => {
    const { ask, bucket, putObject } = client;
    const { json } = await ask("/v1/labelers", { body: { bucket, prefix: "in/" } });
    for (const [i, name] of VENDORS.entries()) {
      const key = `in/new photo+é 100%.jpg/${String(json["id"])}/${i}`;
      await putObject(key, sample(CHART));
      const told = await ask(`/v1/events/s3?token=${EVENTS_TOKEN}`, {
        body: eventOf(name, bucket, key),
        authorization: undefined,
        headers: {
          "content-type": name.startsWith("sns") ? "text/plain; charset=UTF-8" : "application/json",
        },
      });
      expect([name, told.status, told.json]).toEqual([
        name,
        200,
        name === "sqs-batch"
          ? { batchItemFailures: [{ itemIdentifier: BAD_MESSAGE }] }
          : { accepted: 1, missed: 0, ignored: 0 },
      ]);
    }
    const labelled = async () =>
      ((await ask(`/v1/labelers/${String(json["id"])}`)).json["event_counts"] as { labelled: number })
        .labelled;
    await expect.poll(labelled, { timeout: 30_000 }).toBe(VENDORS.length);
    expect((await ask(`/v1/labelers/${String(json["id"])}`, { method: "DELETE" })).status).toBe(204);
  },

  async "fifty requests at once are each answered, half of them with labels, and leave no connection behind"(
    client,
  ) {
    const { ask, server } = client;
    const body = { image: { url: `${server.url}/${CHART}` } };
    const create = (headers: Record<string, string>) => ask("/v1/classifications", { body, headers });
    // Opens what is kept open from now on.
    await create(wait);
    const before = await connections(client);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => create(i % 2 === 0 ? wait : {})));
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, i) => (i % 2 === 0 ? 200 : 202)));
    expect(new Set(answers.map(({ json }) => json["id"])).size).toBe(50);
    await expect.poll(() => connections(client), { timeout: 10_000 }).toBeLessThanOrEqual(before);
  },
};

type Vendor = (typeof BUCKET_EVENTS)[number];
const VENDORS: Vendor[] = [
  "aws-put",
  "sqs-batch",
  "sns-notification",
  "eventbridge-object-created",
  "minio-put",
  "ceph-put",
  "r2-put",
];

/** The id of the message in the fixture of SQS that is no event. */
const BAD_MESSAGE = "be9b4e6c-2d84-4b0c-8a7e-4c8de2e1a2b3";

/** A vendor's event with this object instead of the fixture's, in the vendor's own encoding, as the vendor's text. */
function eventOf(vendor: Vendor, bucket: string, key: string): string {
  const formEncoded = encodeURIComponent(key).replaceAll("%20", "+");
  return readBucketEvent(vendor)
    .replaceAll("in/new+photo%2B%C3%A9+100%25.jpg", formEncoded.replaceAll("%2F", "/"))
    .replaceAll("in%2Fnew+photo%2B%C3%A9+100%25.jpg", formEncoded)
    .replaceAll("in/new photo+é 100%.jpg", key)
    .replaceAll(/(?<=name\\*":\s?\\*"|bucket": ")photos/g, bucket);
}
