import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Classification } from "../../shared/contracts/classification.ts";
import { sample } from "../support/figures.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import { TEST_CA, startRedisCluster, startSentinels, startTlsRedis } from "../support/redis-deployments.ts";
import type { RedisDeployment } from "../support/redis-deployments.ts";
import { startTestTresline } from "../support/running-tresline.ts";
import type { RunningTresline } from "../support/running-tresline.ts";

const DEPLOYMENTS: [of: string, start: () => Promise<RedisDeployment>][] = [
  ["a Redis Cluster of three nodes", startRedisCluster],
  ["a Redis with TLS, an authority of its own and a user who may do little", startTlsRedis],
  ["a Redis that a Sentinel names", startSentinels],
];

describe.each(DEPLOYMENTS)("over %s", (_of, start) => {
  let redis: RedisDeployment;
  let server: TestServer;
  let tresline: RunningTresline;

  beforeAll(async () => {
    redis = await start();
    server = await startTestServer(({ path }) => ({ status: 200, body: sample(path.slice(1)) }));
    tresline = await startTestTresline({ REDIS_URL: redis.url, NODE_EXTRA_CA_CERTS: TEST_CA });
  });
  afterAll(async () => {
    await tresline?.stop();
    await server?.stop();
    await redis?.stop();
  });

  const submit = async (prefer: string) => {
    const response = await fetch(`${tresline.url}/v1/classifications`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${tresline.apiKey}`,
        "content-type": "application/json",
        prefer,
      },
      body: JSON.stringify({ image: { url: `${server.url}/bar_chart_06.png` } }),
    });
    return { status: response.status, body: Classification.parse(await response.json()) };
  };

  test("an image is labelled and its signed callback comes", async () => {
    const id = await tresline.classify(`${server.url}/bar_chart_06.png`, `${server.url}/table_00.webp`);
    expect((await tresline.ended(id)).predictions?.[0]?.label).toBe("bar_chart");
    const callbacks = () => server.received.filter(({ body }) => body.includes(id));
    await expect.poll(callbacks).toHaveLength(1);
    const webhook = new Webhook(await tresline.webhookSecret());
    for (const { body, headers } of callbacks())
      expect(webhook.verify(body, headers as Record<string, string>)).toMatchObject({ data: { id } });
  });

  test("an autoscaler is told what waits", async () => {
    const headers = { authorization: `Bearer ${tresline.apiKey}` };
    const response = await fetch(`${tresline.url}/v1/scaler`, { headers });
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("figures")]);
  });

  test("a request that waits is told of the end by the worker", async () => {
    const { status, body } = await submit("wait=30");
    expect([status, body.predictions?.[0]?.label]).toEqual([200, "bar_chart"]);
  });

  test("many that wait at once are each told of their own", async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => submit("wait=30")));
    expect(answers.map(({ status, body }) => [status, body.status])).toEqual(
      Array.from({ length: 30 }, () => [200, "succeeded"]),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(30);
  });

  test("a batch of several chunks is completed", async () => {
    const items = Array.from({ length: 200 }, (_, i) => ({
      custom_id: `n-${i}`,
      image: { url: `${server.url}/bar_chart_06.png` },
    }));
    const results = await tresline.results(await tresline.createBatch({ items }));
    expect(results.map(({ predictions }) => predictions?.[0]?.label)).toEqual(items.map(() => "bar_chart"));
  });
});
