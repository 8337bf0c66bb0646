import { randomBytes } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { drainSeconds, readConfig } from "../../shared/config.ts";
import { startChild } from "./child.ts";
import { startRedisServer } from "./redis-server.ts";

/** What the embedded default reads besides what it passes on to the API and the worker. */
export const LocalConfig = z.object({
  DATA_DIR: z.string().default("./data").meta({
    description:
      "Where `npm start` keeps everything: Redis's append-only file, storage, built models, the API key, the log.",
  }),
});

/** All of Tresline on this machine. */
export interface Tresline {
  url: string;
  apiKey: string;
  logFile: string;
  /** The ids of the processes that run now. */
  workerPid: () => number | undefined;
  apiPid: () => number | undefined;
  /** Stops taking requests, finishes what is in hand, stops the parts in their order. */
  stop: () => Promise<void>;
}

const API_GRACE_MS = 5_000;
/** Milliseconds beyond its drain in which a worker hands back what is in hand, and ends. */
const WORKER_GRACE_MS = 10_000;

/**
 * Starts Redis (unless `REDIS_URL` names one), the API and a worker with all roles, and returns when all are ready.
 * @param env the environment they are configured by
 * @param onNotice told of a part that ended by itself and is started again
 * @throws StartError or ConfigError in words for a person
 */
export async function startTresline(
  { DATA_DIR }: z.output<typeof LocalConfig>,
  env: Readonly<Record<string, string | undefined>>,
  onNotice: (message: string) => void,
): Promise<Tresline> {
  const { DRAIN_SECONDS } = readConfig(z.object({ DRAIN_SECONDS: drainSeconds }), env);
  const dataDir = resolve(DATA_DIR);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const logFile = join(dataDir, "tresline.log");
  const log = createWriteStream(logFile, { flags: "a", mode: 0o600 });
  const apiKey = env["API_KEY"] || ownApiKey(join(dataDir, "api-key"));
  const started: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const stopPart of started.toReversed()) await stopPart();
    log.end();
  };
  try {
    const redisUrl = env["REDIS_URL"] || (await startOwnRedis(join(dataDir, "redis"), started));
    const common = { log, onRestart: onNotice };
    const childEnv = {
      ...env,
      REDIS_URL: redisUrl,
      STORAGE_URL: env["STORAGE_URL"] || `file:${join(dataDir, "storage")}`,
      MODELS_DIR: env["MODELS_DIR"] || join(dataDir, "models"),
      API_KEY: apiKey,
    };
    const workerEnv = { ...childEnv, METRICS_PORT: portAfter(env["METRICS_PORT"]) };
    const worker = await startChild({ ...common, name: "worker", entry: "worker/main.ts", env: workerEnv });
    started.push(() => worker.stop(DRAIN_SECONDS * 1_000 + WORKER_GRACE_MS));
    const api = await startChild({ ...common, name: "API", entry: "api/node.ts", env: childEnv });
    started.push(() => api.stop(API_GRACE_MS));
    const { url } = z.object({ url: z.string() }).parse(api.ready);
    return { url, apiKey, logFile, workerPid: worker.pid, apiPid: api.pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Each process has a port of its own for its metrics; 0 is a free one for any. */
const portAfter = (port: string | undefined) => (Number(port) > 0 ? String(Number(port) + 1) : port);

async function startOwnRedis(directory: string, started: (() => Promise<void>)[]): Promise<string> {
  const redis = await startRedisServer(directory);
  started.push(redis.stop);
  return redis.url;
}

/** The key in `file`, made on the first start; readable by its owner only. */
function ownApiKey(file: string): string {
  if (!existsSync(file)) writeFileSync(file, `tl_${randomBytes(24).toString("base64url")}`, { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}
