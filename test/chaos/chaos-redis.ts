import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { openRedis } from "../../shared/redis.ts";
import type { RedisClient } from "../../shared/redis.ts";
import { freePort } from "../support/free-port.ts";
import type { SmallDisk } from "./small-disk.ts";

/** A redis-server as `npm start` configures it, to be maltreated. Always at the same port. */
export interface ChaosRedis {
  url: string;
  /** A connection of the harness's own, which waits while Redis is away. */
  client: RedisClient;
  /** Ends it by a signal and starts it again from its append-only file after so many milliseconds. */
  restart: (signal: "SIGKILL" | "SIGTERM", downMs: number) => Promise<void>;
  /** Keeps it from doing anything for so many milliseconds. */
  pause: (ms: number) => Promise<void>;
  /** Keeps it from writing for so many milliseconds: its memory is used up. Gives whether it did refuse to write. */
  starve: (ms: number) => Promise<boolean>;
  /** Writes for so many milliseconds and gives whether that was ever refused. */
  refusesWithin: (ms: number) => Promise<boolean>;
  stop: () => Promise<void>;
}

/** Less than an empty Redis uses, in bytes. */
const TOO_LITTLE_MEMORY = 1_000_000;
/** What is written to find out whether it writes: more than a page, so that it does not fit into the last one of a disk. */
const PROBE_BYTES = 8_192;
const PROBE_MS = 200;
const MIN_PROBES = 4;

/**
 * Starts it on a disk; returns when it takes connections. A usual disk may be busy, and Redis then acknowledges what a kill
 * would take, unless it is told to write first: in memory that does not happen.
 */
export async function startChaosRedis({ path, refusal }: SmallDisk): Promise<ChaosRedis> {
  const settings = [
    `dir ${JSON.stringify(path)}`,
    "appendonly yes",
    `appendfsync ${refusal === undefined ? "everysec" : "always"}`,
    "maxmemory-policy noeviction",
    'save ""',
  ];
  const port = await freePort();
  let child = await launch(port, settings);
  const url = `redis://127.0.0.1:${port}`;
  const client = openRedis(url, "wait", () => {});
  const end = async (signal: NodeJS.Signals) => {
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  };
  return {
    url,
    client,
    async restart(signal, downMs) {
      await end(signal);
      await sleep(downMs);
      child = await launch(port, settings);
    },
    async pause(ms) {
      child.kill("SIGSTOP");
      await sleep(ms);
      child.kill("SIGCONT");
    },
    async starve(ms) {
      await client.config("SET", "maxmemory", TOO_LITTLE_MEMORY);
      const refused = await refusesWithin(client, ms);
      await client.config("SET", "maxmemory", 0);
      return refused;
    },
    refusesWithin: (ms) => refusesWithin(client, ms),
    async stop() {
      client.disconnect();
      await end("SIGKILL");
    },
  };
}

async function refusesWithin(client: RedisClient, ms: number): Promise<boolean> {
  const until = performance.now() + ms;
  let refused = false;
  // The first write that finds no room is still acknowledged.
  for (let probes = 0; probes < MIN_PROBES || performance.now() < until; probes++) {
    await client.set("chaos-probe", "x".repeat(PROBE_BYTES), "PX", 1_000).catch(() => (refused = true));
    await sleep(PROBE_MS);
  }
  return refused;
}

async function launch(port: number, settings: readonly string[]): Promise<ChildProcess> {
  // The kernel ends it when this process dies.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "redis-server", "-"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => {});
  child.stdin.end(["bind 127.0.0.1", `port ${port}`, ...settings].join("\n"));
  let said = "";
  const { promise: isReady, resolve, reject } = Promise.withResolvers<void>();
  child.once("error", reject);
  child.once("exit", () => reject(new Error(`redis-server ended while it started. It said:\n${said}`)));
  child.stdout.on("data", (data: Buffer) => {
    said = (said + data.toString()).slice(-4_000);
    if (said.includes("Ready to accept connections")) resolve();
  });
  await isReady;
  child.stdout.removeAllListeners("data").resume();
  child.removeAllListeners("exit");
  return child;
}
