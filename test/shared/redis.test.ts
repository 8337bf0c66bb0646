import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openRedis, redisFaults } from "../../shared/redis.ts";
import type { RedisPatience } from "../../shared/redis.ts";
import { startRedisCluster, startSentinels, startTlsRedis } from "../support/redis-deployments.ts";
import { startTestRedis } from "../support/redis.ts";
import type { TestRedis } from "../support/redis.ts";

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

/** A connection for the rest of the test, and what was told of its errors. */
function open(url: string, patience: RedisPatience = "fail-fast") {
  const told: Error[] = [];
  const redis = openRedis(url, patience, (error) => told.push(error));
  onTestFinished(() => redis.disconnect());
  return { redis, told };
}

test("the Redis that is started with Tresline keeps accepted work", async () => {
  expect(await redisFaults(server.redis)).toEqual([]);
});

test("a Redis that may lose accepted work has a sentence for each reason", async () => {
  await server.redis.config("SET", "appendonly", "no");
  await server.redis.config("SET", "maxmemory-policy", "allkeys-lru");
  const faults = await redisFaults(server.redis);
  expect(faults).toHaveLength(2);
  expect(faults.join("\n")).toMatch(
    /maxmemory-policy is allkeys-lru; set it to noeviction[^]*appendonly yes/,
  );
});

test("a Redis that is too old is told", async () => {
  const info = "redis_version:5.0.14\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n";
  const old = createServer((socket) =>
    socket.on("data", (data) => {
      for (const [command] of data.toString().matchAll(/INFO|PING|CLIENT/gi))
        socket.write(/info/i.test(command) ? `$${info.length}\r\n${info}\r\n` : "+OK\r\n");
    }),
  );
  const url = await listen(old);
  expect(await redisFaults(open(url).redis)).toEqual([
    "Redis 5.0.14 is too old: Tresline needs Redis 6.2 or later, or Valkey.",
  ]);
});

test("where a request waits for it, a Redis that is away is an error and is told", async () => {
  // Port 1 of the loopback address: nothing listens there.
  const { redis, told } = open("redis://127.0.0.1:1");
  await expect(redis.ping()).rejects.toThrow("max retries per request");
  expect(told.length).toBeGreaterThan(0);
});

test("a connection that nobody uses yet is not made", async () => {
  const told: Error[] = [];
  const redis = openRedis("redis://127.0.0.1:1", "fail-fast", (error) => told.push(error), "when used");
  await new Promise((resolve) => setTimeout(resolve, 200));
  redis.disconnect();
  expect(told).toEqual([]);
});

test("a connection on which nothing comes any more is made again, as when a machine has vanished", async () => {
  const sockets = new Set<Socket>();
  let isSilent = false;
  const behind = Number(new URL(server.url).port);
  const proxy = createServer((client) => {
    const redis = connect(behind, "127.0.0.1");
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    const forSilence = isSilent;
    client.on("data", (data) => isSilent === forSilence && redis.write(data));
    redis.on("data", (data) => client.write(data));
    client.on("close", () => redis.destroy());
  });
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  const url = new URL(server.url);
  url.port = new URL(await listen(proxy)).port;
  const { redis, told } = open(url.href);
  expect(await redis.ping()).toBe("PONG");
  isSilent = true;
  await expect(redis.ping()).rejects.toThrow("Command timed out");
  await expect.poll(() => redis.ping().catch(() => "away"), { timeout: 10_000 }).toBe("PONG");
  expect(told.map(({ message }) => message).join()).toContain("Socket timeout");
});

test("a certificate of an authority that is not trusted is refused and told", async () => {
  const tls = await startTlsRedis();
  onTestFinished(tls.stop);
  const { redis, told } = open(tls.url);
  await expect(redis.ping()).rejects.toThrow("max retries per request");
  expect(told[0]?.message).toMatch(/certificate/);
});

test("of a cluster every node is checked, and one that is away is an error in time, before and after it was there", async () => {
  const cluster = await startRedisCluster();
  onTestFinished(cluster.stop);
  const { redis } = open(cluster.url);
  expect(await redisFaults(redis)).toEqual([]);
  const [, , last] = cluster.nodes;
  const direct = open(`redis://127.0.0.1:${last?.port}`).redis;
  await direct.config("SET", "maxmemory-policy", "allkeys-lru");
  expect(await redisFaults(redis)).toEqual([expect.stringContaining("allkeys-lru")]);
  await cluster.stop();
  const away = /timed out|closed|ECONNREFUSED|None of startup nodes/;
  await Promise.all(
    [redis, redis, open(cluster.url).redis].map((each, i) =>
      expect(each.get(`{tresline}:${i}`)).rejects.toThrow(away),
    ),
  );
});

test("when the master that a Sentinel names goes, the next one is found", async () => {
  const sentinels = await startSentinels();
  onTestFinished(sentinels.stop);
  const { redis } = open(sentinels.url);
  await redis.set("{tresline}:some", "thing");
  expect(await redis.call("WAIT", "1", "5000")).toBe(1);
  await sentinels.master.stop();
  const get = () => redis.set("{tresline}:other", "x").catch(() => "away");
  await expect.poll(get, { timeout: 20_000, interval: 200 }).toBe("OK");
  expect(await redis.get("{tresline}:some")).toBe("thing");
});

/** Starts to listen for the rest of the test; where, as a URL of Redis. */
async function listen(listener: ReturnType<typeof createServer>): Promise<string> {
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => void listener.close());
  return `redis://127.0.0.1:${(listener.address() as AddressInfo).port}`;
}
