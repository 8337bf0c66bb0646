import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sample, sampleNames } from "../support/figures.ts";
import { openFleet } from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";

const [name = ""] = sampleNames();
const soon = { timeout: 60_000 };

let fleet: Fleet;
let server: TestServer;
/** Called once the first worker was told to stop: answers what waits for that. */
let release: () => void;
beforeAll(async () => {
  const { promise: isReleased, resolve } = Promise.withResolvers<void>();
  release = resolve;
  server = await startTestServer(async ({ path }) => {
    const times = server.received.filter((request) => request.path === path).length;
    // The worker that is told to stop never gets these; whoever asks again does.
    if (path.startsWith("/endless/") && times === 1) return "hang";
    if (path.startsWith("/soon/") || path.startsWith("/hook/")) await isReleased;
    return path.startsWith("/hook/") ? { status: 204 } : { status: 200, body: sample(name) };
  });
  fleet = await openFleet();
});
afterAll(async () => {
  await fleet.stop();
  await server.stop();
});

const timesAsked = (path: string) => server.received.filter((request) => request.path === path).length;
const image = (path: string) => ({ url: server.url + path });

test("a worker that is told to stop finishes what it can, and another ends the rest at once, each once and as its first attempt", async () => {
  const { client } = await fleet.startApi();
  const readyFile = join(fleet.directory, "ready");
  const first = await fleet.startWorker({ DRAIN_SECONDS: "6", READY_FILE: readyFile });
  const webhook = `${server.url}/hook/0`;
  const told = await client.classifications.create(image("/quick/0"), { webhook });
  const paths = ["/soon/1", "/soon/2", "/endless/3", "/endless/4", "/endless/5"];
  const single = await Promise.all(paths.map((path) => client.classifications.create(image(path))));
  const items = Array.from({ length: 8 }, (_, i) => ({
    custom_id: `${i}`,
    image: image(`/endless/item-${i}`),
  }));
  const batch = await client.batches.create({ items });
  const inHand = ["/hook/0", ...paths, ...items.map((_, i) => `/endless/item-${i}`)];
  await expect.poll(() => inHand.filter((path) => timesAsked(path) === 0), soon).toEqual([]);

  const ending = first.stop();
  await expect.poll(() => existsSync(readyFile), soon).toBe(false);
  release();
  expect(await ending).toEqual([0, null]);
  // The two images and the message; the three images and the chunk.
  expect(first.log.find(({ msg }) => msg === "worker stopped")).toMatchObject({
    finished: 3,
    handed_back: 4,
  });
  const second = await fleet.startWorker({ ALLOWED_PRIVATE_NETWORKS: "127.0.0.0/8,169.254.0.0/16" });

  const ended = await Promise.all([told, ...single].map(({ id }) => client.classifications.wait(id)));
  expect(ended.map(({ status }) => status)).toEqual(ended.map(() => "succeeded"));
  expect(await client.batches.wait(batch.id)).toMatchObject({
    status: "completed",
    request_counts: { total: 8, succeeded: 8, failed: 0, canceled: 0 },
  });
  const warned = second.log.filter(({ msg }) => msg.startsWith("ALLOWED_PRIVATE_NETWORKS"));
  expect(warned).toMatchObject([{ level: "warn", network: "169.254.0.0/16" }]);
  // Nobody had to wait until locks ran out, and nothing is suspected of having killed its worker.
  expect(second.log.filter(({ msg }) => msg === "taken over from a worker that is gone")).toEqual([]);
  for (const { id } of single) {
    const lines = [...first.log, ...second.log].filter((line) => line["id"] === id);
    expect(lines, id).toMatchObject([{ msg: "classification", status: "succeeded", attempt: 1 }]);
  }
  expect(timesAsked("/hook/0")).toBe(1);
  for (const path of inHand.filter((each) => each.startsWith("/endless/"))) expect(timesAsked(path)).toBe(2);
});
