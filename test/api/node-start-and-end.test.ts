import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Classification } from "../../shared/contracts/classification.ts";
import { startTestRedis } from "../support/redis.ts";
import type { TestRedis } from "../support/redis.ts";
import { API_KEY, apiProcesses, authorization, submit } from "./support/api-processes.ts";

let redis: TestRedis;
const { run, start, waits, endAll } = apiProcesses(() => redis);

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await endAll();
  await redis.stop();
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "at %s a request that waits is answered, then the process ends",
  async (signal) => {
    const { url, child, exited } = await start();
    const answer = submit(url, { prefer: "wait=50" });
    await expect.poll(waits).toHaveLength(1);
    const began = performance.now();
    child.kill(signal);
    const response = await answer;
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ status: "queued" });
    expect(await exited).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
  },
);

test("at SIGTERM a stream of events ends with what there is, then the process ends", async () => {
  const { url, child, exited } = await start();
  const { urls } = Classification.parse(await (await submit(url)).json());
  const stream = await fetch(urls.events, { headers: { authorization } });
  const [reader] = [stream.body?.getReader()];
  const first = new TextDecoder().decode((await reader?.read())?.value);
  expect(first).toContain('"status":"queued"');
  child.kill("SIGTERM");
  expect(await reader?.read()).toEqual({ done: true, value: undefined });
  expect(await exited).toBe(0);
});

test("it ends with its parent", async () => {
  const { child, exited } = await start();
  child.disconnect();
  expect(await exited).toBe(0);
});

test("it starts while Redis is away and says that it is not ready", async () => {
  const { url } = await start({ REDIS_URL: "redis://127.0.0.1:1" });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
});

const { port: takenPort, close: freePort } = await takePort();
afterAll(freePort);

const FAULTS: [of: string, env: Record<string, string>, line: string][] = [
  ["no API key", {}, "API_KEY is not set and is needed."],
  ["an empty API key", { API_KEY: "" }, "API_KEY is not set and is needed."],
  [
    "a short API key",
    { API_KEY: "short" },
    "API_KEY must have at least 16 characters, none of them a space.",
  ],
  [
    "an API key that no header can carry",
    { API_KEY: "sixteen and more letters" },
    "API_KEY must have at least 16 characters, none of them a space.",
  ],
  [
    "a taken port",
    { API_KEY, PORT: String(takenPort) },
    `Port ${takenPort} of 127.0.0.1 is taken; set PORT to another.`,
  ],
  [
    "an address of another machine",
    { API_KEY, HOST: "192.0.2.1" },
    "192.0.2.1 is not an address of this machine; set HOST to one that is.",
  ],
  [
    "a port that is none",
    { API_KEY, PORT: "http" },
    'PORT must be a whole number from 0 to 65535 (it is "http").',
  ],
  [
    "a public URL that is none",
    { API_KEY, PUBLIC_URL: "tresline.example" },
    "PUBLIC_URL must be an http or https URL.",
  ],
];

test.concurrent("a client that has stopped sending does not keep the process from ending", async () => {
  const { url, child, exited } = await start();
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    `POST /v1/classifications HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\nbeginning`,
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
  socket.destroy();
}, 60_000);

test.concurrent.each(FAULTS)(
  "with %s it says so in one line and ends with code 2",
  async (_of, env, line) => {
    const { exited, said } = run(env);
    expect(await exited).toBe(2);
    expect(said.stderr).toBe(`${line}\n`);
  },
  60_000,
);

test("several faults of its environment are told at once", async () => {
  const { exited, said } = run({ PORT: "70000", LOG_LEVEL: "loud" });
  expect(await exited).toBe(2);
  expect(said.stderr.split("\n").map((line) => line.split(" ")[0])).toEqual([
    "LOG_LEVEL",
    "PORT",
    "API_KEY",
    "",
  ]);
});

async function takePort(): Promise<{ port: number; close: () => void }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}
