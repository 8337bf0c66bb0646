import { afterAll, beforeAll, expect, test } from "vitest";
import { sample } from "../support/figures.ts";
import { openClient } from "./support/client.ts";
import type { Client } from "./support/client.ts";
import { startCloudflareRuntime } from "./support/cloudflare-runtime.ts";
import type { CloudflareRuntime } from "./support/cloudflare-runtime.ts";
import { startServices } from "./support/services.ts";
import type { Services } from "./support/services.ts";

let services: Services;
let cloudflare: CloudflareRuntime;
let client: Client;
beforeAll(async () => {
  services = await startServices();
  cloudflare = await startCloudflareRuntime(services.env);
  client = openClient(services, cloudflare.url);
});
afterAll(async () => {
  await cloudflare?.stop();
  await services?.stop();
});

const connections = async () =>
  String(await services.redis.redis.call("CLIENT", "LIST"))
    .trim()
    .split("\n").length;

test("events of R2 are taken from a queue, and what is none is to be brought again", async () => {
  const { bucket } = services;
  const before = await connections();
  const { json } = await client.ask("/v1/labelers", { body: { bucket } });
  await services.putObject("chart.png", sample("bar_chart_06.png"));
  const body = {
    account: "3f4b7e3dcab231cbfdaa90a6a28bd548",
    action: "PutObject",
    bucket,
    object: { key: "chart.png", size: 1_000, eTag: "9b2cf535f27731c974343645a3985328" },
    eventTime: "2026-11-22T12:00:00.471Z",
  };
  const messages = [
    { id: "event", body },
    { id: "no event", body: "no event" },
    { id: "deletion", body: { ...body, action: "DeleteObject" } },
  ];
  expect(await cloudflare.deliver(messages)).toEqual({
    taken: ["deletion", "event"],
    again: ["no event"],
  });
  const path = `/v1/labelers/${String(json["id"])}`;
  const counts = async () => (await client.ask(path)).json["event_counts"];
  await expect.poll(counts, { timeout: 20_000 }).toMatchObject({ labelled: 1 });
  await expect.poll(connections).toBe(before);
});

test("a client that goes while it waits or reads leaves no connection behind", async () => {
  const before = await connections();
  const headers = { authorization: `Bearer ${services.env["API_KEY"]}`, "content-type": "application/json" };
  const gone = new AbortController();
  const body = JSON.stringify({ image: { url: `${services.server.url}/hang` } });
  const waiting = fetch(`${cloudflare.url}/v1/classifications`, {
    method: "POST",
    headers: { ...headers, prefer: "wait=3" },
    body,
    signal: gone.signal,
  });
  const { json } = await client.ask("/v1/classifications", { body: JSON.parse(body) as object });
  const path = `/v1/classifications/${String(json["id"])}`;
  const stream = await fetch(`${cloudflare.url}${path}/events`, { headers });
  await stream.body?.cancel();
  gone.abort();
  await expect(waiting).rejects.toThrow(/abort/);
  await client.ask(`${path}/cancel`, { method: "POST" });
  await expect.poll(connections, { timeout: 10_000 }).toBeLessThanOrEqual(before);
});
