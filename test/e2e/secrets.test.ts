import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTresline } from "../../infra/local/tresline.ts";
import type { Tresline } from "../../infra/local/tresline.ts";
import { openRedis } from "../../shared/redis.ts";
import type { RedisClient } from "../../shared/redis.ts";
import { sample } from "../support/figures.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";

/** Everything secret that is given to Tresline or that it makes, by what it is. */
const secrets: Record<string, string> = {
  "the API key": "api-key-4b1d7c2e9f",
  "a key that is not known": "unknown-key-8e2f1a6b",
  "the token of events": "events-token-3c9d5e7f",
  "a token of events that is wrong": "wrong-token-1f2e3d4c",
  "the secret of S3": "s3-secret-7a8b9c0d1e",
  "the session token of S3": "s3-session-5e6f7a8b9c",
};
/** What is secret in addresses that clients give: jobs have to hold it, logs do not. */
const inAddresses: Record<string, string> = {
  "in an image's URL": "image-token-2d3e4f5a",
  "in a callback's URL": "hook-token-6b7c8d9e",
};
/** Secrets that Tresline keeps for itself in places of their own. */
const kept: Record<string, string> = {};

const dataDir = mkdtempSync(join(tmpdir(), "tresline-secrets-"));
const answers: string[] = [];
let tresline: Tresline;
let outside: TestServer;
let redis: RedisClient;
let redisPassword = "";

beforeAll(async () => {
  outside = await startTestServer(({ path }) => {
    if (path.startsWith("/good")) return { status: 200, body: sample("bar_chart_06.png") };
    if (path.startsWith("/photos/"))
      return { status: 403, body: Buffer.from("<Error><Code>AccessDenied</Code></Error>") };
    return { status: path.startsWith("/hook") ? 500 : 404, body: Buffer.from("no") };
  });
  const env = {
    ...process.env,
    PORT: "0",
    ALLOWED_PRIVATE_NETWORKS: "127.0.0.1/32",
    API_KEY: secrets["the API key"],
    S3_EVENTS_TOKEN: secrets["the token of events"],
    S3_SOURCE_BUCKETS: "photos",
    S3_FORCE_PATH_STYLE: "true",
    AWS_ENDPOINT_URL_S3: outside.url,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: secrets["the secret of S3"],
    AWS_SESSION_TOKEN: secrets["the session token of S3"],
  };
  tresline = await startTresline({ DATA_DIR: dataDir }, env, () => {});
  const url = readFileSync(join(dataDir, "redis/url"), "utf8");
  redisPassword = new URL(url).password;
  redis = openRedis(url, "fail-fast", () => {});
  await useEverything();
});
afterAll(async () => {
  redis.disconnect();
  await tresline.stop();
  await outside.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

type Init = { key?: string | undefined; body?: unknown; headers?: Record<string, string> };

/** Asks and keeps the answer, its headers too, unless it is one that is to show a secret. */
async function ask(method: string, path: string, { key, body, headers }: Init = {}, isToShow = false) {
  const response = await fetch(tresline.url + path, {
    method,
    headers: {
      authorization: `Bearer ${key ?? secrets["the API key"]}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!isToShow) answers.push(JSON.stringify([...response.headers]) + text);
  return { status: response.status, text };
}

const field = (text: string, name: string): string => {
  const value: unknown = (JSON.parse(text) as Record<string, unknown>)[name];
  if (typeof value !== "string") throw new Error(`No ${name} in ${text}`);
  return value;
};

/** Every way in which a secret is sent, made or used, those that fail above all. */
async function useEverything(): Promise<void> {
  const unknown = secrets["a key that is not known"];
  const made = await ask("POST", "/v1/api-keys", { body: { name: "x", scopes: ["classify", "read"] } }, true);
  secrets["a key that was made"] = field(made.text, "key");
  const own = await ask("GET", "/v1/webhook-secret", {}, true);
  kept["the tenant's secret"] = field(own.text, "secret");
  const hook = `${outside.url}/hook?token=${inAddresses["in a callback's URL"]}`;
  const endpoint = await ask("POST", "/v1/webhook-endpoints", { body: { url: hook } }, true);
  kept["an endpoint's secret"] = field(endpoint.text, "secret");
  const id = field(endpoint.text, "id");
  const rotated = await ask("POST", `/v1/webhook-endpoints/${id}/rotate-secret`, {}, true);
  kept["an endpoint's new secret"] = field(rotated.text, "secret");
  const key = secrets["a key that was made"];

  const query = `?token=${inAddresses["in an image's URL"]}`;
  const images = [
    { url: `${outside.url}/good.png${query}` },
    { url: `${outside.url}/gone.png${query}` },
    { url: `http://127.0.0.1:9/refused.png${query}` },
    { url: `http://10.0.0.1/inside.png${query}` },
    { s3: { bucket: "photos", key: "cat.jpg" } },
  ];
  for (const image of images) {
    for (const webhook of [hook, id])
      await ask("POST", "/v1/classifications", {
        key,
        body: { image, webhook },
        headers: { prefer: "wait=5" },
      });
    await ask("POST", "/v1/batches", { body: { items: [{ custom_id: "a", image }], webhook: hook } });
  }
  await ask("POST", "/v1/batches", { body: { manifest: { s3: { bucket: "photos", key: "list.csv" } } } });
  await ask("POST", `/v1/webhook-endpoints/${id}/test`);
  const idempotent = { "idempotency-key": "once" };
  await ask("POST", "/v1/classifications", { body: { image: images[0] }, headers: idempotent });
  await ask("POST", "/v1/classifications", { body: { image: images[0] }, headers: idempotent });

  await ask("GET", "/v1/batches", { key: unknown });
  await ask("GET", `/v1/batches?key=${unknown}`, { key: unknown });
  await ask("POST", "/v1/classifications", { body: `{"image": "${secrets["the API key"]}` });
  const event = { Event: "s3:TestEvent", Service: "Amazon S3", Bucket: "photos" };
  for (const token of ["the token of events", "a token of events that is wrong"]) {
    await ask("POST", `/v1/events/s3?token=${secrets[token]}`, {
      key: "",
      body: event,
      headers: { authorization: "" },
    });
    await ask("POST", "/v1/events/s3", { key: secrets[token], body: event });
    await ask("POST", "/v1/events/s3", {
      headers: { authorization: `Basic ${btoa(`x:${secrets[token]}`)}` },
      body: event,
    });
  }
  for (const path of [
    "/v1/batches",
    "/v1/webhook-endpoints",
    `/v1/webhook-endpoints/${id}/attempts`,
    "/v1/api-keys",
  ])
    await ask("GET", path);
  await setTimeout(3_000);
}

/** The names in `among` whose secret the text has. */
const found = (text: string, ...among: Record<string, string>[]): string[] =>
  among.flatMap((each) =>
    Object.entries(each).flatMap(([name, secret]) => (text.includes(secret) ? [name] : [])),
  );

/** All that Redis has, a text for each key. */
async function dump(): Promise<Record<string, string>> {
  const keys = await redis.keys("*");
  const values = keys.map(async (key) => {
    const read: Record<string, () => Promise<unknown>> = {
      string: () => redis.get(key),
      hash: () => redis.hgetall(key),
      list: () => redis.lrange(key, 0, -1),
      set: () => redis.smembers(key),
      zset: () => redis.call("ZRANGE", key, "0", "-1"),
      stream: () => redis.xrange(key, "-", "+"),
    };
    const type = await redis.type(key);
    return [key, JSON.stringify(await read[type]?.())];
  });
  return Object.fromEntries(await Promise.all(values)) as Record<string, string>;
}

test("it was used: what could fail did, and was logged", () => {
  const log = readFileSync(tresline.logFile, "utf8");
  for (const part of [
    '"service":"api"',
    "webhook attempt failed",
    "AccessDenied",
    "refused",
    '"http_status":401',
  ])
    expect(log).toContain(part);
  expect(outside.received.some(({ path }) => path.includes("image-token"))).toBe(true);
  expect(answers.length).toBeGreaterThan(30);
});

test("no secret is in the log, nor what addresses have after their question mark", () => {
  expect(
    found(readFileSync(tresline.logFile, "utf8"), secrets, kept, inAddresses, { redisPassword }),
  ).toEqual([]);
});

test("no secret is in an answer but in those that are there to show it", () => {
  expect(found(answers.join("\n"), secrets, kept, { redisPassword })).toEqual([]);
});

test("Redis has no key and no credentials, and secrets of webhooks only where they belong", async () => {
  const values = await dump();
  expect(Object.keys(values).some((key) => key.includes(":deliver"))).toBe(true);
  const where = Object.entries(values).map(([key, value]) => ({
    key,
    has: found(key + value, secrets, kept, { redisPassword }),
  }));
  const others = where.filter(
    ({ key, has }) => has.length > 0 && !/^\{tresline\}:webhook-secret:[^:]+(:old)?$/.test(key),
  );
  expect(others).toEqual([]);
  expect(new Set(where.flatMap(({ has }) => has))).toEqual(new Set(Object.keys(kept)));
});

test("no process has a secret in its command line, and storage has none", () => {
  const commands = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readIfThere(`/proc/${pid}/cmdline`));
  expect(commands.some((command) => command.includes("worker/main.ts"))).toBe(true);
  expect(found(commands.join("\n"), secrets, kept, inAddresses, { redisPassword })).toEqual([]);
  const files = readdirSync(join(dataDir, "storage"), { recursive: true, encoding: "utf8" }).map((name) =>
    readIfThere(join(dataDir, "storage", name)),
  );
  expect(files.length).toBeGreaterThan(5);
  expect(found(files.join("\n"), secrets, kept, { redisPassword })).toEqual([]);
});

test("what holds secrets is its owner's alone", () => {
  const modes = ["", "redis", "redis/url", "tresline.log"].map((name) => statSync(join(dataDir, name)).mode);
  expect(modes.map((mode) => (mode & 0o777).toString(8))).toEqual(["700", "700", "600", "600"]);
});

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
