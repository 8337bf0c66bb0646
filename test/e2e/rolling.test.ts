import { afterAll, beforeAll, expect, test } from "vitest";
import type { BatchItem } from "../../shared/contracts/queue-payloads.ts";
import { BatchRecord } from "../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../shared/keys.ts";
import { openQueues, queueNames } from "../../shared/queue.ts";
import type { Queues } from "../../shared/queue.ts";
import { putBatch } from "../../shared/state/batches.ts";
import { openStorage } from "../../shared/storage/open-storage.ts";
import { sample, sampleNames } from "../support/figures.ts";
import { openFleet } from "../support/fleet.ts";
import type { Fleet, Member } from "../support/fleet.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import { oldPayload } from "../support/old-payloads.ts";

const IMAGES = 200;
const ITEMS = 100;
const WITH_WEBHOOK = 20;
const [name = ""] = sampleNames();
const soon = { timeout: 60_000 };

let fleet: Fleet;
let server: TestServer;
let queues: Queues;
/** The worker that runs from the first test on, and those that come after it. */
const workers: Member[] = [];
beforeAll(async () => {
  server = await startTestServer(async ({ path }) =>
    path.startsWith("/hook/") ? { status: 204 } : { status: 200, body: sample(name) },
  );
  fleet = await openFleet();
  queues = openQueues(fleet.redis.redis);
});
afterAll(async () => {
  await queues.close();
  await fleet.stop();
  await server.stop();
});

const image = (path: string) => ({ url: server.url + path });
const old = (of: string) => oldPayload(of, server.url) as never;
const callbacks = (path: string) => server.received.filter((request) => request.path === path);
const linesOf = (id: string) =>
  workers.flatMap(({ log }) => log.filter((line) => line["id"] === id && line.msg === "classification"));

async function expectNothingLeft(): Promise<void> {
  const names = [queueNames.classify("figures", "interactive"), queueNames.classify("figures", "bulk")];
  for (const queue of [...names, queueNames.scan, queueNames.deliver])
    await expect
      .poll(async () => queues.admin.look(queue), soon)
      .toMatchObject({ waiting: 0, due: 0, putOff: 0, active: 0, dead: 0 });
}

test("what version 0.1.0 has put into the queues is worked to its end", async () => {
  const storage = await openStorage(`file:${fleet.directory}/storage`);
  const record = BatchRecord.parse(old("batch-record"));
  const { items } = old("chunk") as { items: BatchItem[] };
  const lines = items.map((item) => `${JSON.stringify(item)}\n`).join("");
  await storage.put(storageKeys.batchItems(record.id), lines, { contentType: "application/x-ndjson" });
  await putBatch(fleet.redis.redis, record, items.length);
  const { id } = old("image") as { id: string };
  await queues.enqueueClassify("figures", "interactive", [{ id, payload: old("image") }]);
  // As if the old worker had listed the batch and been killed: the same chunk, then the listing anew.
  await queues.enqueueClassify("figures", "bulk", [{ id: `${record.id}-0`, payload: old("chunk") }]);
  await queues.enqueueScan({ id: `${record.id}-enqueue`, payload: old("scan-enqueue") });
  for (const message of ["message-to-url", "message-to-endpoint"])
    await queues.enqueueDeliver({ id: message, payload: old(message) });

  const { client } = await fleet.startApi();
  workers.push(await fleet.startWorker());
  expect(await client.classifications.wait(id)).toMatchObject({
    status: "succeeded",
    metadata: { kind: "a picture" },
    predictions: [{ label: "bar_chart" }],
  });
  expect(await client.batches.wait(record.id)).toMatchObject({
    status: "completed",
    request_counts: { total: 3, succeeded: 2, failed: 1, canceled: 0 },
  });
  for (const path of ["/hook/single", "/hook/batch", "/hook/message"])
    await expect.poll(() => callbacks(path).length, soon).toBe(1);
  for (const kind of ["finish", "expire", "delete", "sweep"])
    await queues.enqueueScan({ id: `old-${kind}`, payload: old(`scan-${kind}`) });
  await expectNothingLeft();
  await expect(client.batches.get(record.id)).rejects.toMatchObject({ status: 404 });
});

test("when every process is replaced under load, each image that was accepted ends once", async () => {
  const before = await fleet.startApi();
  const [first] = workers;
  let client = before.client;
  let accepted = 0;
  // Whoever is refused by the process that goes asks the one that comes, under the same name.
  const submit = async (i: number): Promise<string> => {
    const webhook = i < WITH_WEBHOOK ? { webhook: `${server.url}/hook/rolling-${i}` } : {};
    const call = { idempotencyKey: `rolling-${i}` };
    for (;;) {
      const used = client;
      try {
        const { id } = await used.classifications.create(image(`/rolling/${i}`), webhook, call);
        accepted++;
        return id;
      } catch (error) {
        if (used === client) throw error;
      }
    }
  };
  const items = Array.from({ length: ITEMS }, (_, i) => ({ custom_id: `${i}`, image: image(`/item/${i}`) }));
  const batch = await client.batches.create({ items });
  const submitting = Array.from({ length: IMAGES }, (_, i) => submit(i));
  await expect.poll(() => accepted, soon).toBeGreaterThan(IMAGES / 10);
  const [after, second] = await Promise.all([fleet.startApi(), fleet.startWorker()]);
  workers.push(second);
  client = after.client;
  expect(await Promise.all([before.stop(), first?.stop()])).toEqual([
    [0, null],
    [0, null],
  ]);

  const ids = await Promise.all(submitting);
  expect(new Set(ids).size).toBe(IMAGES);
  const ended = await Promise.all(ids.map((id) => client.classifications.wait(id)));
  expect(ended.filter(({ status }) => status !== "succeeded")).toEqual([]);
  expect(await client.batches.wait(batch.id)).toMatchObject({
    status: "completed",
    request_counts: { total: ITEMS, succeeded: ITEMS, failed: 0, canceled: 0 },
  });
  for (const id of ids) await expect.poll(() => linesOf(id), soon).toMatchObject([{ attempt: 1 }]);
  for (let i = 0; i < WITH_WEBHOOK; i++) {
    const path = `/hook/rolling-${i}`;
    await expect.poll(() => callbacks(path).length, soon).toBeGreaterThan(0);
    expect(new Set(callbacks(path).map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  }
  await expectNothingLeft();
});
