import { Worker } from "bullmq";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Classification } from "../../shared/contracts/classification.ts";
import { REDIS_PREFIX, storageKeys } from "../../shared/keys.ts";
import { queueNames } from "../../shared/queue.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

test("a classification is queued until a worker takes it, processing until its result is stored, and then what it ended as", async () => {
  const image = { url: "https://example.com/cat.jpg" };
  const created = Classification.parse(await (await api.post("/v1/classifications", { image })).json());
  const get = async () =>
    Classification.parse(await (await api.request(`/v1/classifications/${created.id}`)).json());
  expect(await get()).toEqual(created);
  const { promise: isTaken, resolve: taken } = Promise.withResolvers<void>();
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
  const worker = new Worker(
    queueNames.classify("figures", "interactive"),
    async () => {
      taken();
      await mayEnd;
    },
    { connection: api.redis.redis, prefix: REDIS_PREFIX },
  );
  await isTaken;
  expect(await get()).toEqual({ ...created, status: "processing", started_at: expect.any(String) });
  const ended: Classification = { ...created, status: "succeeded", predictions: [] };
  const key = storageKeys.result("default", created.id);
  await api.deps.storage.put(key, JSON.stringify(ended), { contentType: "application/json" });
  expect(await get()).toEqual(ended);
  end();
  await worker.close();
});

test.each([
  ["30s", 30],
  ["5m", 300],
  ["24h", 86_400],
])("Cancel-After: %s gives it a deadline %i seconds after it was created", async (header, seconds) => {
  const image = { url: "https://example.com/cat.jpg" };
  const response = await api.post("/v1/classifications", { image }, { "cancel-after": header });
  const { deadline, created_at } = Classification.parse(await response.json());
  expect(Date.parse(deadline ?? "") - Date.parse(created_at)).toBe(seconds * 1_000);
});

test.each(["soon", "0s", "25h", "-5s", "10", "1.5m", "5 m", ""])(
  "Cancel-After: %j is refused",
  async (header) => {
    const image = { url: "https://example.com/cat.jpg" };
    const response = await api.post("/v1/classifications", { image }, { "cancel-after": header });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: "invalid_request",
      errors: [
        { header: "cancel-after", detail: "must be a time such as 30s, 5m or 2h, from one second to a day" },
      ],
    });
  },
);
