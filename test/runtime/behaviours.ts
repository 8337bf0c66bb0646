import { parquetReadObjects } from "hyparquet";
import { Webhook } from "standardwebhooks";
import { expect } from "vitest";
import { openapiDocument } from "../../api/openapi.ts";
import { BatchResult } from "../../shared/contracts/batch.ts";
import { newTraceparent } from "../../shared/traceparent.ts";
import { readBucketEvent } from "../api/support/bucket-events.ts";
import type { BUCKET_EVENTS } from "../api/support/bucket-events.ts";
import { sample } from "../support/figures.ts";
import type { Answered, Client } from "./support/client.ts";
import { API_KEY, EVENTS_TOKEN, MAX_BODY_BYTES, PUBLIC_URL } from "./support/services.ts";

const CHART = "bar_chart_06.png";
const dataUrl = (name: string) => `data:image/png;base64,${Buffer.from(sample(name)).toString("base64")}`;
const best = ({ json }: Pick<Answered, "json">) =>
  (json["predictions"] as { label: string }[] | null)?.[0]?.label;
const pathOf = ({ headers }: Answered) => (headers.get("location") ?? "").replace(PUBLIC_URL, "");
const wait = { prefer: "wait=30" };

/** Every connection to Redis that is not this test's own question. */
const connections = async ({ redis }: Client) =>
  String(await redis.redis.call("CLIENT", "LIST"))
    .trim()
    .split("\n").length;

/** What the API does, by a sentence each, in whatever it runs. Fails by throwing. */
export const BEHAVIOURS: Record<string, (client: Client) => Promise<void>> = {
  "an image is accepted with 202, where to ask and when, and has its label there": async (client) => {
    const { ask, server, untilEnded } = client;
    const accepted = await ask("/v1/classifications", { body: { image: { url: `${server.url}/${CHART}` } } });
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get("location")).toBe(
      `${PUBLIC_URL}/v1/classifications/${String(accepted.json["id"])}`,
    );
    expect(accepted.headers.get("retry-after")).toBe("1");
    expect(best({ json: await untilEnded(pathOf(accepted)) })).toBe("bar_chart");
  },

  "an image in a data URL is labelled while the request waits": async ({ ask }) => {
    const answer = await ask("/v1/classifications", {
      body: { image: { data: dataUrl(CHART) } },
      headers: wait,
    });
    expect([answer.status, best(answer)]).toEqual([200, "bar_chart"]);
  },

  "an image that is the body is labelled, with its options from the query": async ({ ask }) => {
    const headers = { ...wait, "content-type": "image/png" };
    const answer = await ask("/v1/classifications?top_k=2&threshold=0%2E0", { body: sample(CHART), headers });
    expect([answer.status, best(answer)]).toEqual([200, "bar_chart"]);
    expect(answer.json["predictions"]).toHaveLength(2);
  },

  "an image that is a form's file is labelled, with its options from the form": async ({ ask }) => {
    const form = new FormData();
    form.set("image", new File([sample(CHART)], "chart.png", { type: "image/png" }));
    form.set("top_k", "1");
    const answer = await ask("/v1/classifications", { body: form, headers: wait });
    expect([answer.status, best(answer)]).toEqual([200, "bar_chart"]);
    expect(answer.json["predictions"]).toHaveLength(1);
  },

  "an image in a bucket is labelled": async ({ ask, bucket, putObject }) => {
    await putObject("one/é +.png", sample(CHART));
    const body = { image: { s3: { bucket, key: "one/é +.png" } } };
    expect(best(await ask("/v1/classifications", { body, headers: wait }))).toBe("bar_chart");
  },

  "an image that was uploaded to the bucket itself is labelled": async ({ ask }) => {
    const file = sample(CHART);
    const made = await ask("/v1/uploads", { body: { media_type: "image/png", bytes: file.length } });
    expect(made.status).toBe(201);
    const { url, method, headers, id } = made.json as Record<"url" | "method" | "id", string> & {
      headers: Record<string, string>;
    };
    const sent = await fetch(url, { method, headers, body: file });
    expect([sent.status, await sent.text()]).toEqual([200, ""]);
    const answer = await ask("/v1/classifications", { body: { image: { upload_id: id } }, headers: wait });
    expect([answer.status, best(answer)]).toEqual([200, "bar_chart"]);
  },

  "a wait that is over is answered with 202": async ({ ask, server }) => {
    const body = { image: { url: `${server.url}/hang` } };
    const began = performance.now();
    const answer = await ask("/v1/classifications", { body, headers: { prefer: "wait=1" } });
    expect(answer.status).toBe(202);
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(pathOf(answer)).toMatch(/^\/v1\/classifications\/cls_/);
    const canceled = await ask(`${pathOf(answer)}/cancel`, { method: "POST" });
    expect(canceled.status).toBe(200);
  },

  "an image that is none fails with its reason": async ({ ask }) => {
    const headers = { ...wait, "content-type": "image/png" };
    const { status, json } = await ask("/v1/classifications", {
      body: new TextEncoder().encode("no picture"),
      headers,
    });
    expect([status, json["status"]]).toEqual([200, "failed"]);
    expect(json["error"]).toMatchObject({ code: "invalid_image", retryable: false });
  },

  "a callback comes, signed with the secret that the API shows and in the trace of its request": async ({
    ask,
    server,
  }) => {
    const {
      json: { secret },
    } = await ask("/v1/webhook-secret");
    const body = { image: { url: `${server.url}/${CHART}` }, webhook: `${server.url}/callback` };
    const traceparent = newTraceparent();
    const {
      json: { id },
    } = await ask("/v1/classifications", { body, headers: { ...wait, traceparent } });
    const callbacks = () =>
      server.received.filter((each) => each.path === "/callback" && each.body.includes(String(id)));
    await expect.poll(callbacks, { timeout: 10_000 }).toHaveLength(1);
    for (const { body: sent, headers } of callbacks()) {
      new Webhook(String(secret)).verify(sent, headers as Record<string, string>);
      expect(headers["traceparent"]).toBe(traceparent);
    }
  },

  "how a classification changes is told by server-sent events until it has ended": async ({
    ask,
    server,
  }) => {
    const accepted = await ask("/v1/classifications", { body: { image: { url: `${server.url}/${CHART}` } } });
    const { status, headers, text } = await ask(`${pathOf(accepted)}/events`);
    expect([status, headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    const told = [...text.matchAll(/^data: (.*)$/gm)].map(
      ([, data = ""]) => (JSON.parse(data) as { status: string }).status,
    );
    expect(told.at(-1)).toBe("succeeded");
  },

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

  "whoever has no key, or one that may do less, is told so": async ({ ask }) => {
    const nobody = await ask("/v1/batches/bat_01kapz6s8r3v5m2n7q9w4x6y8z", {
      authorization: "Bearer nobody",
    });
    expect([nobody.status, nobody.headers.get("www-authenticate")]).toEqual([
      401,
      expect.stringMatching(/^Bearer/),
    ]);
    const { json } = await ask("/v1/api-keys", { body: { name: "reader", scopes: ["read"] } });
    const authorization = `Bearer ${String(json["key"])}`;
    const refused = await ask("/v1/classifications", {
      body: { image: { url: "https://example.com/a.png" } },
      authorization,
    });
    expect([refused.status, refused.json["code"]]).toEqual([403, "forbidden"]);
    expect((await ask(`/v1/api-keys/${String(json["id"])}`, { method: "DELETE" })).status).toBe(200);
    expect((await ask("/v1/webhook-secret", { authorization })).status).toBe(401);
  },

  "what is wrong with a request is a problem that points at it": async ({ ask }) => {
    const post = (body: unknown, headers = {}) => ask("/v1/classifications", { body, headers });
    const image = { url: "https://example.com/a.png" };
    const wrong = [
      await post('{"image":', { "content-type": "application/json" }),
      await post({ image, top_k: 0 }),
      await post("text", { "content-type": "text/plain" }),
      await post({ image, model: "unknown" }),
      await ask("/v1/classifications/cls_01kapz6s8r3v5m2n7q9w4x6y8z"),
      await ask("/v1/nothing", { method: "PATCH" }),
    ];
    expect(wrong.map(({ status, json }) => [status, json["code"]])).toEqual([
      [400, "invalid_request"],
      [400, "invalid_request"],
      [415, "unsupported_media_type"],
      [404, "model_not_found"],
      [404, "not_found"],
      [404, "not_found"],
    ]);
    expect(wrong[1]?.json["errors"]).toEqual([expect.objectContaining({ pointer: "/top_k" })]);
    const named = await ask("/v1/nothing", { headers: { "x-request-id": "named-by-the-client" } });
    expect(named.json["request_id"]).toBe("named-by-the-client");
  },

  "a request that is sent again under its key is answered as before": async ({ ask }) => {
    const headers = { "idempotency-key": crypto.randomUUID() };
    const body = { image: { url: "https://example.com/once.png" } };
    const first = await ask("/v1/classifications", { body, headers });
    const again = await ask("/v1/classifications", { body, headers });
    expect(again.json).toEqual(first.json);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const other = await ask("/v1/classifications", { body: { ...body, top_k: 1 }, headers });
    expect([other.status, other.json["code"]]).toEqual([422, "idempotency_key_reused"]);
  },

  "webhook endpoints are made, shown, changed, rotated, tested and deleted": async ({ ask, server }) => {
    const made = await ask("/v1/webhook-endpoints", { body: { url: `${server.url}/endpoint` } });
    const path = `/v1/webhook-endpoints/${String(made.json["id"])}`;
    expect([made.status, made.json["secret"]]).toEqual([201, expect.stringMatching(/^whsec_/)]);
    expect((await ask("/v1/webhook-endpoints")).json["data"]).toContainEqual(
      expect.objectContaining({ id: made.json["id"] }),
    );
    const changed = await ask(path, { method: "PATCH", body: { description: "changed" } });
    expect(changed.json["description"]).toBe("changed");
    const rotated = await ask(`${path}/rotate-secret`, { method: "POST" });
    expect(rotated.json["secret"]).not.toBe(made.json["secret"]);
    expect((await ask(`${path}/test`, { method: "POST" })).status).toBe(202);
    const tested = () => server.received.filter((each) => each.path === "/endpoint");
    await expect.poll(tested, { timeout: 10_000 }).not.toHaveLength(0);
    expect((await ask(path, { method: "DELETE" })).status).toBe(200);
    expect((await ask(path)).status).toBe(404);
  },

  "the document is the same everywhere, and so is the page made of it": async ({ ask, described }) => {
    const { json } = await ask("/openapi.json");
    expect(json).toEqual(JSON.parse(JSON.stringify(openapiDocument(described))));
    const page = await ask("/docs");
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    expect(page.text).toContain("createClassification");
  },

  "whether it runs and whether it is ready are told without a key": async ({ ask }) => {
    const nobody = { authorization: undefined };
    expect((await ask("/healthz", nobody)).json).toEqual({ status: "ok" });
    expect((await ask("/readyz", nobody)).json).toEqual({
      status: "ready",
      checks: { redis: "ok", storage: "ok" },
    });
  },

  "a body that is too large is refused, and how many requests are left is told": async ({ ask }) => {
    // What is left of the body is not read on for long: the connection is of no further use.
    const headers = { "content-type": "image/png", connection: "close" };
    const { status, json } = await ask("/v1/classifications", {
      body: new Uint8Array(MAX_BODY_BYTES + 1),
      headers,
    });
    expect([status, json["code"]]).toEqual([413, "image_too_large"]);
    const counted = await ask("/v1/webhook-secret");
    expect(counted.headers.get("ratelimit-policy")).toBe('"default";q=100000;w=60');
    expect(counted.headers.get("ratelimit")).toMatch(/^"default";r=\d+;t=\d+$/);
  },

  async "people sign in to the console, send an image, and see it and its label appear"({ url }) {
    const visit = (path: string, init: RequestInit = {}) =>
      fetch(url + path, { redirect: "manual", ...init });
    const origin = PUBLIC_URL;
    const body = new URLSearchParams({ key: API_KEY });
    const signedIn = await visit("/console/sign-in", { method: "POST", headers: { origin }, body });
    const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect([signedIn.status, cookie]).toEqual([
      303,
      expect.stringMatching(/^tresline_console=[0-9a-f]{64}$/),
    ]);
    const form = new FormData();
    form.set("images", new File([sample(CHART)], "chart.png", { type: "image/png" }));
    const sent = await visit("/console", { method: "POST", headers: { origin, cookie }, body: form });
    const [, id = ""] = /^\/console\?ids=(cls_\w+)$/.exec(sent.headers.get("location") ?? "") ?? [];
    const stream = await visit(`/console/classifications/cards?ids=${id}`, { headers: { cookie } });
    expect(await stream.text()).toMatch(/bar_chart[^\n]*<meter[^\n]*\n/);
    const page = await visit(`/console?ids=${id}`, { headers: { cookie } });
    expect(await page.text()).toContain(`<img src="/console/images/${id}"`);
    const image = await visit(`/console/images/${id}`, { headers: { cookie } });
    expect(Buffer.from(await image.arrayBuffer()).equals(Buffer.from(sample(CHART)))).toBe(true);
    expect((await visit("/console/classifications")).status).toBe(303);
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
