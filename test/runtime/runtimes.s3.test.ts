import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BEHAVIOURS } from "./behaviours.ts";
import { openClient } from "./support/client.ts";
import type { Client, Send } from "./support/client.ts";
import { startCloudflareRuntime } from "./support/cloudflare-runtime.ts";
import { startLambdaRuntime } from "./support/lambda-runtime.ts";
import { startNodeRuntime } from "./support/node-runtime.ts";
import type { Runtime, StartRuntime } from "./support/runtime.ts";
import { startServices } from "./support/services.ts";
import type { Services } from "./support/services.ts";

const RUNTIMES: [name: string, start: StartRuntime][] = [
  ["Node", startNodeRuntime],
  ["AWS Lambda", startLambdaRuntime],
  ["Cloudflare Workers", startCloudflareRuntime],
];

let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services?.stop());

describe.each(RUNTIMES)("on %s", (name, start) => {
  const times: number[] = [];
  const timed: Send = async (url, init) => {
    const began = performance.now();
    const response = await fetch(url, init);
    times.push(performance.now() - began);
    return response;
  };
  let runtime: Runtime;
  let client: Client;

  beforeAll(async () => {
    runtime = await start(services.env);
    client = openClient(services, runtime.url, timed);
  });
  afterAll(async () => {
    await runtime.stop();
    const [first = 0] = times;
    const median = times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;
    const [cold, warm, usual] = [runtime.coldStartMs, first, median].map(Math.round);
    process.stdout.write(
      `${name}: cold start ${cold} ms, first request ${warm} ms, median of ${times.length} requests ${usual} ms\n`,
    );
  });

  test.each(Object.entries(BEHAVIOURS))("%s", async (_sentence, behave) => {
    expect.hasAssertions();
    await behave(client);
  });
});
