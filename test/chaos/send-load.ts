import { setTimeout as sleep } from "node:timers/promises";
import { Batch } from "../../shared/contracts/batch.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import type { ChaosClient } from "./chaos-client.ts";
import type { AskedBatch, AskedClassification, Ledger } from "./ledger.ts";
import type { Picture } from "./pictures.ts";
import type { Load, PlannedBatch, PlannedClassification, PlannedObject, Via } from "./plan-load.ts";
import type { TestBucket } from "./test-bucket.ts";

/** What load is sent with. */
export interface SendDeps {
  client: ChaosClient;
  bucket: TestBucket;
  /** Where pictures are and messages go. */
  outsideUrl: string;
  eventsToken: string;
  ledger: Ledger;
  /** When asking ends, in milliseconds of `performance.now()`. */
  untilMs: number;
}

/** Sends all requests of a load, each at its time, and returns when each was answered; what was not is noted as refused. */
export async function sendLoad({ requests }: Load, deps: SendDeps): Promise<void> {
  await Promise.all(
    requests.map(async (planned, i) => {
      await sleep(planned.atMs);
      try {
        if (planned.kind === "classification") await sendClassification(planned, i, deps);
        else if (planned.kind === "batch") await sendBatch(planned, i, deps);
        else await sendObject(planned, i, deps);
      } catch (error) {
        deps.ledger.refusals.push(
          `${planned.kind} ${i}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }),
  );
}

async function sendClassification(planned: PlannedClassification, i: number, deps: SendDeps): Promise<void> {
  const { picture, via, priority, hasHook } = planned;
  const hook = hasHook ? `${deps.outsideUrl}/hooks/classification-${i}` : undefined;
  const asked: AskedClassification = {
    key: `classification-${i}`,
    ids: new Set(),
    expected: picture.expected,
    hook,
    needsS3: via !== "url",
    cancel: "no",
  };
  deps.ledger.classifications.push(asked);
  const body = {
    image: imageOf(picture, via, deps),
    priority,
    webhook: hook,
    metadata: { number: String(i) },
  };
  await create("/v1/classifications", body, asked, planned, Classification, deps);
}

async function sendBatch(planned: PlannedBatch, i: number, deps: SendDeps): Promise<void> {
  const { items } = planned;
  const hook = `${deps.outsideUrl}/hooks/batch-${i}`;
  const source =
    items === "prefix"
      ? { prefix: { bucket: deps.bucket.name, prefix: "listed/" } }
      : {
          items: items.map(({ customId, picture, via }) => ({
            custom_id: customId,
            image: imageOf(picture, via, deps),
          })),
        };
  const expected =
    items === "prefix"
      ? [...deps.bucket.put].filter(([key]) => key.startsWith("listed/"))
      : items.map(({ customId, picture }) => [customId, picture] as const);
  const asked: AskedBatch = {
    key: `batch-${i}`,
    ids: new Set(),
    items: new Map(expected.map(([customId, picture]) => [customId, picture.expected])),
    hook,
    needsS3: true,
    cancel: "no",
  };
  deps.ledger.batches.push(asked);
  await create("/v1/batches", { ...source, top_k: 3, webhook: hook }, asked, planned, Batch, deps);
}

const imageOf = (picture: Picture, via: Via, { bucket, outsideUrl }: SendDeps) => {
  if (via === "url") return { url: `${outsideUrl}/pictures/${picture.name}` };
  if (via === "s3") return { s3: { bucket: bucket.name, key: `pictures/${picture.name}` } };
  return { data: `data:${picture.mediaType};base64,${Buffer.from(picture.bytes).toString("base64")}` };
};

/** Creates a resource under an Idempotency-Key, asks for it again and cancels it if that is planned. */
async function create(
  path: string,
  body: unknown,
  asked: AskedClassification | AskedBatch,
  { repeatAfterMs, cancelAfterMs }: Pick<PlannedBatch, "repeatAfterMs" | "cancelAfterMs">,
  contract: { parse: (value: unknown) => { id: string; status: string } },
  { client, ledger, untilMs }: SendDeps,
): Promise<void> {
  const creating = { path, body, idempotencyKey: asked.key };
  const accept = async (): Promise<string> => {
    const { status, text } = await client.ask(creating, untilMs);
    if (status !== 202) throw new Error(`answered ${status}: ${text}`);
    const { id } = contract.parse(JSON.parse(text));
    asked.ids.add(id);
    return id;
  };
  const id = await accept();
  const repeat = async () => {
    if (repeatAfterMs === undefined) return;
    await sleep(repeatAfterMs);
    await accept();
    ledger.repeats++;
  };
  const cancel = async () => {
    if (cancelAfterMs === undefined) return;
    await sleep(cancelAfterMs);
    asked.cancel = "asked";
    const { status } = await client.ask({ path: `${path}/${id}/cancel`, body: {} }, untilMs);
    // 409 says that it had ended.
    if (status < 300) asked.cancel = "done";
    else if (status !== 409) throw new Error(`canceling ${id} was answered ${status}`);
  };
  await Promise.all([repeat(), cancel()]);
}

/** Puts an object into the bucket and tells of it as often as planned, as buckets do: again until it is taken. */
async function sendObject(planned: PlannedObject, i: number, deps: SendDeps): Promise<void> {
  const { key, picture, tellings } = planned;
  const etag = await deps.bucket.putPicture(key, picture);
  deps.ledger.objects.push({ key, expected: picture.expected });
  const event = {
    Records: [
      {
        eventVersion: "2.1",
        eventSource: "aws:s3",
        eventTime: new Date().toISOString(),
        eventName: "ObjectCreated:Put",
        s3: {
          bucket: { name: deps.bucket.name },
          object: { key, size: picture.bytes.length, eTag: etag, sequencer: String(i + 1).padStart(16, "0") },
        },
      },
    ],
  };
  const path = `/v1/events/s3?token=${deps.eventsToken}`;
  for (let telling = 0; telling < tellings; telling++) {
    const { status, text } = await deps.client.ask({ path, body: event, isAnonymous: true }, deps.untilMs);
    if (status !== 200) throw new Error(`the event of ${key} was answered ${status}: ${text}`);
  }
}
