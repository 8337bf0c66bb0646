import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Event } from "../../shared/contracts/event.ts";
import { sample, sampleNames } from "../support/figures.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import { startTestTresline } from "../support/running-tresline.ts";
import type { RunningTresline } from "../support/running-tresline.ts";

const IMAGES_IN_BATCH = 300;
const SINGLE_IMAGES = 30;
/** Every tenth image is one of these, and what becomes of it. */
const BROKEN = [
  ["text", "invalid_image"],
  ["missing", "fetch_failed"],
  ["svg", "unsupported_media_type"],
] as const;
const samples = sampleNames();

/** What image number `i` is: the name in its URL, and how it ends, by its label's absence or its code. */
function imageOf(i: number): { name: string; code: string | undefined } {
  const [name, code] = (i % 10 === 9 ? BROKEN[Math.floor(i / 10) % BROKEN.length] : undefined) ?? [];
  return { name: name ?? samples[i % samples.length] ?? "", code };
}

let tresline: RunningTresline;
let server: TestServer;
beforeAll(async () => {
  const hooksSeen = new Set<string>();
  server = await startTestServer(async ({ path }) => {
    const [, kind, name = ""] = path.split("/");
    if (kind === "hook") {
      // Every fifth receiver fails at first, so that its callback has to be sent again.
      const isFirst = !hooksSeen.has(name);
      hooksSeen.add(name);
      return { status: isFirst && Number(name) % 5 === 0 ? 500 : 204 };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (name === "missing") return { status: 404 };
    if (name === "text") return { status: 200, body: Buffer.from("this is not an image") };
    if (name === "svg")
      return { status: 200, body: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') };
    return { status: 200, body: sample(name) };
  });
  tresline = await startTestTresline();
});
afterAll(async () => {
  await tresline?.stop();
  await server.stop();
});

/** How many attempts a callback takes at least. */
const attemptsOf = (hook: string) => (Number(hook.split("/")[2]) % 5 === 0 ? 2 : 1);
const imagesServed = () => server.received.filter(({ path }) => path.startsWith("/image/")).length;
const soon = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 5 });

/** Kills the worker while images of the batch are in its hands, and returns when the next one has some. */
async function killWorkerMidBatch(batchId: string): Promise<void> {
  const pid = tresline.workerPid();
  if (pid === undefined) throw new Error("no worker runs");
  expect((await tresline.batch(batchId)).status).toBe("in_progress");
  process.kill(pid, "SIGKILL");
  const served = imagesServed();
  await soon(() => expect(tresline.workerPid()).not.toBe(pid));
  await soon(() => expect(imagesServed()).toBeGreaterThan(served + 20));
}

async function startSingles(from: number, to: number): Promise<string[]> {
  const numbers = Array.from({ length: to - from }, (_, i) => from + i);
  const accepted = numbers.map((i) =>
    tresline.classify(`${server.url}/image/${imageOf(i).name}`, `${server.url}/hook/${i}`),
  );
  return Promise.all(accepted);
}

test("a worker that is killed twice in the middle loses nothing and tells nobody twice under two ids", async () => {
  const items = Array.from({ length: IMAGES_IN_BATCH }, (_, i) => ({
    custom_id: `n-${i}`,
    image: { url: `${server.url}/image/${imageOf(i).name}` },
  }));
  const batchId = await tresline.createBatch({ items, top_k: 1, webhook: `${server.url}/hook/batch` });
  await soon(() => expect(imagesServed()).toBeGreaterThan(60));
  const singles = await startSingles(0, SINGLE_IMAGES / 2);
  await killWorkerMidBatch(batchId);
  singles.push(...(await startSingles(SINGLE_IMAGES / 2, SINGLE_IMAGES)));
  await killWorkerMidBatch(batchId);

  const ended = await Promise.all(singles.map((id) => tresline.ended(id)));
  expect(ended.map(({ status, error }) => [status, error?.code])).toEqual(
    ended.map((_, i) => [imageOf(i).code === undefined ? "succeeded" : "failed", imageOf(i).code]),
  );
  const results = await tresline.results(batchId);
  expect(results.map(({ custom_id }) => custom_id)).toEqual(items.map(({ custom_id }) => custom_id));
  expect(results.map(({ error }) => error?.code)).toEqual(items.map((_, i) => imageOf(i).code));
  expect(new Set(results.map(({ id }) => id)).size).toBe(IMAGES_IN_BATCH);
  const failed = IMAGES_IN_BATCH / 10;
  expect((await tresline.batch(batchId)).request_counts).toEqual({
    total: IMAGES_IN_BATCH,
    succeeded: IMAGES_IN_BATCH - failed,
    failed,
    canceled: 0,
  });
  // The same image has the same label whichever worker saw it.
  const labels = new Map<string, Set<string | undefined>>();
  for (const [i, { predictions }] of results.entries()) {
    const { name } = imageOf(i);
    labels.set(name, (labels.get(name) ?? new Set()).add(predictions?.[0]?.label));
  }
  expect([...labels.values()].every((seen) => seen.size === 1)).toBe(true);

  const subjects = new Map([...singles.entries()].map(([i, id]) => [`/hook/${i}`, id]));
  subjects.set("/hook/batch", batchId);
  const callbacksTo = (path: string) => server.received.filter((request) => request.path === path);
  await soon(() => {
    for (const path of subjects.keys())
      expect(callbacksTo(path).length).toBeGreaterThanOrEqual(attemptsOf(path));
  });
  const webhook = new Webhook(await tresline.webhookSecret());
  for (const [path, id] of subjects) {
    const callbacks = callbacksTo(path);
    expect(new Set(callbacks.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    for (const { body, headers } of callbacks) {
      const event = Event.parse(webhook.verify(body, headers as Record<string, string>));
      expect(event.data).toMatchObject({ id });
    }
  }
  const messageIds = [...subjects.keys()].map((path) => callbacksTo(path)[0]?.headers["webhook-id"]);
  expect(new Set(messageIds).size).toBe(SINGLE_IMAGES + 1);
  expect(tresline.notices).toEqual(Array(2).fill("The worker ended (SIGKILL); starting it again."));
});
