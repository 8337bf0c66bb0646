import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openBacklog } from "../../api/backlog.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import type { Lane } from "../../shared/contracts/lane.ts";
import { REDIS_PREFIX } from "../../shared/keys.ts";
import { queueNames } from "../../shared/queue.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const MAX_BACKLOG_S = 30;
const image = { url: "https://example.com/cat.jpg" };

let api: TestApi;
let patient: TestApi;
beforeAll(async () => {
  [api, patient] = await Promise.all([
    startTestApi({ MAX_BACKLOG_SECONDS: String(MAX_BACKLOG_S) }),
    startTestApi(),
  ]);
});
afterAll(() => Promise.all([api.close(), patient.close()]));

const create = (to: TestApi, priority: Lane) => to.post("/v1/classifications", { image, priority });
const createBatch = () => api.post("/v1/batches", { items: [{ custom_id: "cat", image }] });

/** Puts an image into a lane that has waited there for so many seconds; `more` are fields of its job. */
async function wait(to: TestApi, lane: Lane, seconds: number, more: object = {}): Promise<void> {
  const { id } = (await (await create(to, lane)).json()) as { id: string };
  const job = `${REDIS_PREFIX}:${queueNames.classify("figures", lane)}:${id}`;
  await to.redis.redis.hset(job, { timestamp: Date.now() - seconds * 1_000, ...more });
}

test("images are taken while the oldest has not waited too long, or waits to be tried again", async () => {
  await wait(api, "interactive", 20);
  await wait(api, "interactive", 500, { processedOn: Date.now() - 490_000 });
  const oldest = await api.deps.queues.oldestWaiting("figures", "interactive");
  const waitedMs = Date.now() - (oldest?.getTime() ?? 0);
  expect(waitedMs).toBeGreaterThanOrEqual(20_000);
  expect(waitedMs).toBeLessThan(MAX_BACKLOG_S * 1_000);
  expect((await create(api, "interactive")).status).toBe(202);
});

test("a lane whose oldest image has waited too long takes no more, and says when to ask again", async () => {
  await wait(api, "bulk", 45);
  await expect.poll(async () => (await create(api, "bulk")).status, { timeout: 5_000 }).toBe(503);
  const response = await create(api, "bulk");
  const { code, detail } = (await response.json()) as Problem;
  expect(code).toBe("overloaded");
  const seconds = Number(
    /^Nothing more is taken for the model "figures" in the lane bulk: its oldest image has waited (\d+) s for a worker\. Send it again later\.$/.exec(
      detail,
    )?.[1],
  );
  expect(seconds).toBeGreaterThanOrEqual(45);
  expect(response.headers.get("retry-after")).toBe(String(seconds - MAX_BACKLOG_S));
  expect((await createBatch()).status, "a batch goes into that lane").toBe(503);
  expect((await create(api, "interactive")).status, "the other lane").toBe(202);
});

test("without a limit everything is taken", async () => {
  await wait(patient, "interactive", 100_000);
  expect((await create(patient, "interactive")).status).toBe(202);
});

test("Redis is asked once a second for a lane, however many ask", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 });
  try {
    const asked: string[] = [];
    const backlog = openBacklog({
      oldestWaiting: async (model, lane) => {
        asked.push(`${model} ${lane}`);
        return new Date(990_000);
      },
    });
    const ages = await Promise.all([1, 2, 3].map(() => backlog.ageMs("figures", "bulk")));
    expect(ages).toEqual([10_000, 10_000, 10_000]);
    expect(asked).toEqual(["figures bulk"]);
    await backlog.ageMs("figures", "interactive");
    vi.setSystemTime(1_001_001);
    expect(await backlog.ageMs("figures", "bulk")).toBe(11_001);
    expect(asked).toEqual(["figures bulk", "figures interactive", "figures bulk"]);
  } finally {
    vi.useRealTimers();
  }
});

test("an empty lane has no backlog", async () => {
  const backlog = openBacklog(patient.deps.queues);
  expect(await backlog.ageMs("never-used", "bulk")).toBe(0);
});
