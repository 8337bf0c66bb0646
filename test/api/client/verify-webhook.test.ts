import { generateKeyPairSync, sign } from "node:crypto";
import * as fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { TreslineError } from "../../../api/client/tresline-error.ts";
import { verifyWebhook } from "../../../api/client/verify-webhook.ts";
import type { Batch } from "../../../shared/contracts/batch.ts";
import { newId } from "../../../shared/new-id.ts";
import { newSigningSecret, newWebhookSecret, publicKeyOf, signWebhook } from "../../../shared/signature.ts";
import { batchRecord } from "../../support/labelling.ts";

const secret = newWebhookSecret();
const ID = "msg_01kapz6s8r3v5m2n7q9w4x6y8z";
const timestamp = "2026-01-02T03:04:05.678Z";
const record = batchRecord({ metadata: { name: "é" }, webhook: null });
const urls = {
  get: record.url,
  events: `${record.url}/events`,
  results: `${record.url}/results`,
  cancel: `${record.url}/cancel`,
  retry: `${record.url}/retry`,
};
const batch: Batch = {
  id: record.id,
  object: "batch",
  status: "completed",
  model: record.model,
  request_counts: { total: 1, succeeded: 1, failed: 0, canceled: 0 },
  progress: 1,
  eta_seconds: null,
  metadata: record.metadata,
  created_at: timestamp,
  in_progress_at: timestamp,
  finalizing_at: timestamp,
  completed_at: timestamp,
  failed_at: null,
  canceling_at: null,
  canceled_at: null,
  expired_at: null,
  deadline: null,
  expires_at: null,
  retry_of: null,
  output_formats: [],
  error: null,
  urls,
};
const event = { type: "batch.completed", timestamp, data: batch };
const body = JSON.stringify(event);

/** The headers of a message as an independent implementation signs it. */
function headersOf(text: string, { by = secret, atMs = Date.now() } = {}): Record<string, string> {
  const at = new Date(atMs);
  return {
    "webhook-id": ID,
    "webhook-timestamp": `${Math.floor(atMs / 1_000)}`,
    "webhook-signature": new Webhook(by).sign(ID, at, text),
  };
}

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const PUBLIC = `whpk_${publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("base64")}`;
function asymmetric(text: string): Record<string, string> {
  const headers = headersOf(text);
  const signed = Buffer.from(`${ID}.${headers["webhook-timestamp"]}.${text}`);
  return { ...headers, "webhook-signature": `v1a,${sign(null, signed, privateKey).toString("base64")}` };
}

test.each([
  ["text", body],
  ["bytes", new TextEncoder().encode(body)],
  ["a Buffer", Buffer.from(body)],
  ["an ArrayBuffer", new TextEncoder().encode(body).buffer],
])("a message signed by an independent implementation is an event: %s", async (_, raw) => {
  expect(await verifyWebhook(raw, headersOf(body), secret)).toEqual(event);
  expect(await verifyWebhook(raw, new Headers(headersOf(body)), secret)).toEqual(event);
});

test("a message signed with Ed25519 is verified by the public key", async () => {
  expect(await verifyWebhook(body, asymmetric(body), PUBLIC)).toEqual(event);
});

test.each(["hmac", "ed25519"] as const)("what Tresline signs by %s is verified", async (signing) => {
  const signingSecret = await newSigningSecret(signing);
  const headers = headersOf(body);
  const content = { messageId: ID, timestamp: Number(headers["webhook-timestamp"]), body };
  const signed = { ...headers, "webhook-signature": await signWebhook(signingSecret, content) };
  expect(await verifyWebhook(body, signed, publicKeyOf(signingSecret) ?? signingSecret)).toEqual(event);
});

test("one good signature among several, and one right secret among several, are enough", async () => {
  const [mine, asym] = [headersOf(body), asymmetric(body)];
  const other = headersOf(body, { by: newWebhookSecret() });
  const all = [other, asym, mine].map((headers) => headers["webhook-signature"]).join(" ");
  const headers = { ...mine, "webhook-signature": all };
  expect(await verifyWebhook(body, headers, [newWebhookSecret(), secret])).toEqual(event);
  expect(await verifyWebhook(body, headers, [newWebhookSecret(), PUBLIC])).toEqual(event);
});

test("a message of which anything was changed is refused", async () => {
  const message = { ...headersOf(body), body };
  const names = Object.keys(message) as (keyof typeof message)[];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.nat(),
      fc.integer({ min: 33, max: 126 }),
      async (name, at, code) => {
        const text = message[name] ?? "";
        const place = at % text.length;
        const changed = text.slice(0, place) + String.fromCharCode(code) + text.slice(place + 1);
        fc.pre(changed !== text);
        const { body: raw, ...headers } = { ...message, [name]: changed };
        await expect(verifyWebhook(raw, headers, secret)).rejects.toBeInstanceOf(TreslineError);
      },
    ),
  );
});

test("bytes are taken as they are: a byte order mark is part of what was signed", async () => {
  const marked = Buffer.from(`\uFEFF${body}`);
  await expect(verifyWebhook(marked, headersOf(body), secret)).rejects.toThrow("No signature");
});

test.each([-299, 299])("a message of %d s from now is taken", async (seconds) => {
  const headers = headersOf(body, { atMs: Date.now() + seconds * 1_000 });
  expect(await verifyWebhook(body, headers, secret)).toEqual(event);
});

test.each([-310, 310])("a message of %d s from now is refused", async (seconds) => {
  const headers = headersOf(body, { atMs: Date.now() + seconds * 1_000 });
  await expect(verifyWebhook(body, headers, secret)).rejects.toThrow(/The message is 3\d\d s (old|ahead)/);
});

test.each([
  ["no header", { headers: {} }, "The request has no header webhook-id."],
  ["no time", { headers: { ...headersOf(body), "webhook-timestamp": "now" } }, 'webhook-timestamp is "now"'],
  ["another secret", { secrets: newWebhookSecret() }, "No signature of the message is by this secret"],
  ["another public key", { secrets: `whpk_${Buffer.alloc(32, 1).toString("base64")}` }, "No signature"],
  ["no secret", { secrets: [] }, "There is no secret"],
  ["half a secret", { secrets: "whsec_MfKQ9r8GKYqrT" }, "no key in base 64"],
  ["half a public key", { secrets: "whpk_MfKQ" }, "no key in base 64"],
  ["a private key", { secrets: "whsk_MfKQ" }, "begins with whsec_"],
  ["a parsed body", { raw: event }, "not what a parser made of them"],
  ["a body in Latin-1", { raw: Buffer.from(body, "latin1") }, "not UTF-8"],
])("%s is refused with a sentence", async (_, given, said) => {
  const {
    raw = body,
    headers = headersOf(body),
    secrets = secret,
  } = given as unknown as Record<string, never>;
  const verified = verifyWebhook(raw, headers, secrets);
  await expect(verified).rejects.toThrow(said);
  await expect(verified).rejects.toMatchObject({ name: "TreslineError", code: "invalid_webhook" });
});

/** What is told when a batch's event has this data. */
const read = (data: unknown) => {
  const text = JSON.stringify({ ...event, data });
  return verifyWebhook(text, headersOf(text), secret);
};

test("what the data of an event is follows from its type, and a large resource is told by four of its fields", async () => {
  const thin = { id: batch.id, object: "batch", status: "completed", urls };
  const [whole, told] = [await read(batch), await read(thin)];
  if (whole.type !== "batch.completed" || told.type !== "batch.completed") throw new Error("another type");
  expect("request_counts" in whole.data && whole.data.request_counts.succeeded).toBe(1);
  expect(told.data).toEqual(thin);
  expect("request_counts" in told.data).toBe(false);
  const run = { ...thin, id: newId("run"), object: "labeler.run" };
  await expect(read(run)).rejects.toThrow("not an event");
});

test("what is signed and no event of Tresline is refused", async () => {
  for (const text of ["{}", "nonsense", '{"type":"order.paid"}'])
    await expect(verifyWebhook(text, headersOf(text), secret)).rejects.toThrow("not an event");
});
