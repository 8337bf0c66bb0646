import { readFileSync, readdirSync } from "node:fs";
import type { RedisClient } from "../../shared/redis.ts";
import { readMetric } from "./read-metric.ts";

const MB = 1e6;

/** A process of the system, and where it tells its metrics. */
export interface WatchedProcess {
  name: string;
  pid: number;
  metricsUrl: string;
}

/** How a process is: resident memory in MB, open file descriptors, and the 99th percentile of its event loop's lag in ms since the last look. */
export interface ProcessVitals {
  residentMb: number;
  handles: number;
  lagMs: number;
}

/** How Redis is: what it uses in MB, its keys, and those among them that nothing will ever remove by itself. */
export interface RedisVitals {
  usedMb: number;
  keys: number;
  lastingKeys: number;
}

/** Looks at a process of this machine (Linux). */
export async function processVitals({ pid, metricsUrl }: WatchedProcess): Promise<ProcessVitals> {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const residentKib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  const metrics = await (await fetch(metricsUrl)).text();
  return {
    residentMb: (residentKib * 1024) / MB,
    handles: readdirSync(`/proc/${pid}/fd`).length,
    lagMs: readMetric(metrics, "nodejs_eventloop_lag_p99_seconds") * 1_000,
  };
}

/** Looks at Redis. */
export async function redisVitals(redis: RedisClient): Promise<RedisVitals> {
  const [memory, keyspace] = await Promise.all([redis.info("memory"), redis.info("keyspace")]);
  const [, keys = 0, expires = 0] = /^db0:keys=(\d+),expires=(\d+)/m.exec(keyspace) ?? [];
  return {
    usedMb: Number(/^used_memory:(\d+)/m.exec(memory)?.[1]) / MB,
    keys: Number(keys),
    lastingKeys: Number(keys) - Number(expires),
  };
}
