import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";

/** The certificate of the authority that the TLS Redis has its own from. */
export const TEST_CA = resolve("test/fixtures/tls/ca.pem");

/** Redis as people run it: what `REDIS_URL` is for it, and how to end it. */
export interface RedisDeployment {
  url: string;
  stop: () => Promise<void>;
}

interface Server {
  port: number;
  stop: () => Promise<void>;
}

const DURABLE = ["appendonly yes", "maxmemory-policy noeviction", 'save ""'];

/** Starts a Redis Cluster of three masters; to be stopped in `afterAll`. */
export async function startRedisCluster(): Promise<RedisDeployment & { nodes: Server[] }> {
  const nodes = await Promise.all([1, 2, 3].map(startNode));
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await promisify(execFile)("redis-cli", ["--cluster", "create", ...hosts, "--cluster-yes"]);
  return { url: `redis+cluster://${hosts.join(",")}`, nodes, stop: () => stopAll(nodes) };
}

async function startNode(): Promise<Server> {
  const busPort = await freePort();
  return startServer((port) => [
    `port ${port}`,
    "cluster-enabled yes",
    `cluster-port ${busPort}`,
    ...DURABLE,
  ]);
}

/**
 * Starts a Redis that takes only TLS, with a certificate that only `TEST_CA` vouches for, and only a user who may touch
 * nothing but Tresline's keys and channels and no dangerous command but INFO and CLIENT LIST.
 */
export async function startTlsRedis(): Promise<RedisDeployment> {
  const server = await startServer((port) => [
    "port 0",
    `tls-port ${port}`,
    `tls-cert-file ${resolve("test/fixtures/tls/redis.pem")}`,
    `tls-key-file ${resolve("test/fixtures/tls/redis-key.pem")}`,
    `tls-ca-cert-file ${TEST_CA}`,
    "tls-auth-clients no",
    "user default off",
    "user tresline on >p@ss:word/ ~{tresline}:* &{tresline}:* +@all -@dangerous +info +client|list",
    ...DURABLE,
  ]);
  const url = `rediss://tresline:${encodeURIComponent("p@ss:word/")}@127.0.0.1:${server.port}`;
  return { url, stop: server.stop };
}

/** Starts a master, its replica, and a Sentinel, with a password of its own, that makes the replica master when the master is stopped. */
export async function startSentinels(): Promise<RedisDeployment & { master: Server }> {
  const secret = ["requirepass pass", "masterauth pass"];
  const master = await startServer((port) => [`port ${port}`, ...secret, ...DURABLE]);
  const replica = await startServer((port) => [
    `port ${port}`,
    `replicaof 127.0.0.1 ${master.port}`,
    ...secret,
    ...DURABLE,
  ]);
  const sentinel = await startServer(
    (port) => [
      `port ${port}`,
      "requirepass sentinel",
      `sentinel monitor tresline 127.0.0.1 ${master.port} 1`,
      "sentinel auth-pass tresline pass",
      "sentinel down-after-milliseconds tresline 1000",
      "sentinel failover-timeout tresline 5000",
    ],
    ["--sentinel"],
  );
  await untilKnown(sentinel.port);
  return {
    url: `redis+sentinel://:pass@127.0.0.1:${sentinel.port}/tresline?sentinel_password=sentinel`,
    master,
    stop: () => stopAll([sentinel, replica, master]),
  };
}

/** A Sentinel hears of replicas from the master, which it asks every now and then. */
async function untilKnown(port: number): Promise<void> {
  for (;;) {
    const ask = [
      "-p",
      String(port),
      "-a",
      "sentinel",
      "--no-auth-warning",
      "sentinel",
      "replicas",
      "tresline",
    ];
    const { stdout } = await promisify(execFile)("redis-cli", ask);
    if (/^slave$/m.test(stdout) && /master-link-status\nok/.test(stdout)) return;
    await sleep(100);
  }
}

const stopAll = async (servers: Server[]) => void (await Promise.all(servers.map(({ stop }) => stop())));

/** Starts a redis-server of this configuration in a temporary directory of its own. */
async function startServer(configure: (port: number) => string[], flags: string[] = []): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), "tresline-redis-"));
  const port = await freePort();
  const file = join(directory, "redis.conf");
  writeFileSync(file, ["bind 127.0.0.1", `dir ${directory}`, ...configure(port)].join("\n"));
  const child = spawn("redis-server", [file, ...flags], { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit");
  const { promise: isReady, resolve: ready, reject } = Promise.withResolvers<void>();
  let said = "";
  child.once("error", reject);
  exited.then(() => reject(new Error(`redis-server ended while it started:\n${said}`)), reject);
  child.stdout.on("data", (data: Buffer) => {
    said = (said + data.toString()).slice(-4_000);
    if (/Ready to accept connections|Sentinel ID is/.test(said)) ready();
  });
  await isReady;
  return {
    port,
    async stop() {
      child.kill("SIGKILL");
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
