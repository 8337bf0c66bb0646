import { afterAll, beforeAll, expect, test } from "vitest";
import { announceModel, listModels } from "../../../shared/state/models.ts";
import { getWebhookSecret } from "../../../shared/state/webhook-secret.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

test("a tenant's webhook secret is made once, whoever asks first, and is its own", async () => {
  const secrets = await Promise.all(Array.from({ length: 20 }, () => getWebhookSecret(server.redis, "acme")));
  expect(new Set(secrets).size).toBe(1);
  expect(secrets[0]).toMatch(/^whsec_/);
  expect(await getWebhookSecret(server.redis, "other")).not.toBe(secrets[0]);
});

test("the models that workers announced are listed by name, each as it was announced last", async () => {
  const model = {
    digest: "sha256:1",
    num_classes: 12,
    input_size: null,
    device: "cpu",
    served_at: "2026-11-22T12:00:00.000Z",
  };
  await announceModel(server.redis, { name: "zebras", ...model });
  await announceModel(server.redis, { name: "apes", ...model });
  await announceModel(server.redis, { name: "zebras", ...model, digest: "sha256:2" });
  expect(await listModels(server.redis)).toEqual([
    { name: "apes", ...model },
    { name: "zebras", ...model, digest: "sha256:2" },
  ]);
});
