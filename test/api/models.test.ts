import { afterAll, beforeAll, expect, test } from "vitest";
import { Model, ModelWithLabels } from "../../shared/contracts/model.ts";
import { announceModel } from "../../shared/state/models.ts";
import { makeKey } from "./support/make-key.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const list = async (headers: Record<string, string> = {}) => {
  const { data } = (await (await api.request("/v1/models", { headers })).json()) as { data: unknown[] };
  return data.map((each) => Model.parse(each));
};
const digest = `sha256:${"0".repeat(64)}`;
const announce = (name: string, agoMs: number) =>
  announceModel(api.redis.redis, {
    name,
    digest,
    num_classes: 2,
    device: "cuda",
    served_at: new Date(Date.now() - agoMs).toISOString(),
  });

test("no model is there before a worker has come", async () => {
  expect(await list()).toEqual([]);
  const response = await api.request("/v1/models/figures");
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({
    code: "model_not_found",
    detail: 'No worker has served a model "figures" here yet.',
  });
});

test("a model is served for a minute and a half after a worker was last heard of, and stays known", async () => {
  await announce("birds", 80_000);
  await announce("apes", 100_000);
  const shown = {
    object: "model",
    digest,
    num_classes: 2,
    device: "cuda",
    input_size: null,
    is_default: false,
  };
  expect(await list()).toEqual([
    { id: "apes", ...shown, is_served: false, last_seen_at: expect.any(String) },
    { id: "birds", ...shown, is_served: true, last_seen_at: expect.any(String) },
  ]);
});

test("a worker tells what it serves, the names of its classes with it, to every tenant", async () => {
  await api.startWorker();
  const { headers } = await makeKey(api, { tenant: "another", scopes: ["read"] });
  const figures = (await list(headers)).find(({ id }) => id === "figures");
  expect(figures).toMatchObject({ is_default: true, is_served: true, device: "cpu" });
  const shown = ModelWithLabels.parse(await (await api.request("/v1/models/figures", { headers })).json());
  expect(shown).toMatchObject({ id: "figures", digest: figures?.digest });
  expect(shown.labels).toHaveLength(shown.num_classes);
  expect(shown.labels).toContain("bar_chart");
  expect(shown.input_size?.every((pixels) => pixels > 0)).toBe(true);
});
