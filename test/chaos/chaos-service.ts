import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ceph } from "../support/ceph-cluster.ts";
import { freePort } from "../support/free-port.ts";
import { startChaosRedis } from "./chaos-redis.ts";
import type { ChaosRedis } from "./chaos-redis.ts";
import { keepProcess } from "./kept-process.ts";
import type { KeptProcess } from "./kept-process.ts";
import { startOutside } from "./outside.ts";
import type { Outside } from "./outside.ts";
import { APIS, WORKERS } from "./plan-faults.ts";
import { startS3Proxy } from "./s3-proxy.ts";
import type { S3Proxy } from "./s3-proxy.ts";
import { mountSmallDisk } from "./small-disk.ts";
import type { SmallDisk } from "./small-disk.ts";
import { STORAGE_PREFIX, makeTestBucket } from "./test-bucket.ts";
import type { TestBucket } from "./test-bucket.ts";

/** Everything of one seed: the service in processes of its own, what it stands on, and what is outside of it. */
export interface ChaosService {
  apiUrls: string[];
  apiKey: string;
  eventsToken: string;
  processes: Map<string, KeptProcess>;
  redis: ChaosRedis;
  disk: SmallDisk;
  s3: S3Proxy;
  bucket: TestBucket;
  outside: Outside;
  /** Sets the clock of a process off by so many milliseconds. */
  setClock: (name: string, offsetMs: number) => void;
  stop: () => Promise<void>;
}

const API_KEY = "tl_key-of-the-chaos-suite";
const EVENTS_TOKEN = "token-of-the-bucket-events";
const STOP_GRACE_MS = 15_000;
const START_MS = 120_000;

/** Starts it in an empty directory, over a bucket of its own, and returns when all of it is ready. Models are built once in `modelsDir`. */
export async function startChaosService(
  ceph: Pick<Ceph, "endpoint" | "accessKeyId" | "secretAccessKey">,
  { directory, modelsDir, bucketName }: { directory: string; modelsDir: string; bucketName: string },
): Promise<ChaosService> {
  const started: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (const stopPart of started.toReversed()) await stopPart();
  };
  const opened = async <T>(opening: Promise<T>, close: (part: T) => Promise<void> | void): Promise<T> => {
    const part = await opening;
    started.push(() => close(part));
    return part;
  };
  try {
    const disk = await opened(mountSmallDisk(join(directory, "redis")), (part) => part.remove());
    const redis = await opened(startChaosRedis(disk), (part) => part.stop());
    const bucket = await opened(makeTestBucket(ceph, bucketName), (part) => part.close());
    const s3 = await opened(startS3Proxy(ceph.endpoint), (part) => part.stop());
    const outside = await opened(startOutside(), (part) => part.stop());
    const clockFile = (name: string) => join(directory, `${name}.clock`);
    const env = {
      ...process.env,
      REDIS_URL: redis.url,
      STORAGE_URL: `s3://${bucket.name}/${STORAGE_PREFIX}`,
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: ceph.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ceph.secretAccessKey,
      S3_FORCE_PATH_STYLE: "true",
      S3_SOURCE_BUCKETS: bucket.name,
      S3_EVENTS_TOKEN: EVENTS_TOKEN,
      ALLOWED_PRIVATE_NETWORKS: "127.0.0.0/8",
      API_KEY,
      MODELS_DIR: modelsDir,
      MAX_BATCH_SIZE: "4",
      NODE_OPTIONS: `--import=${new URL("skewed-clock.ts", import.meta.url).href}`,
      NODE_COMPILE_CACHE: join(modelsDir, "compile-cache"),
    };
    const processes = new Map<string, KeptProcess>();
    const keep = (name: string, entry: string, settings: Record<string, string>) => {
      const logFile = join(directory, `${name}.log`);
      const kept = keepProcess({
        entry,
        env: { ...env, CHAOS_CLOCK_FILE: clockFile(name), ...settings },
        logFile,
      });
      processes.set(name, kept);
    };
    started.push(async () => {
      await Promise.all([...processes.values()].map((each) => each.stop(STOP_GRACE_MS)));
    });
    const ports = await Promise.all(APIS.map(freePort));
    for (const [name, roles] of Object.entries(WORKERS))
      keep(name, "worker/main.ts", { WORKER_ROLES: roles });
    // Links have the same address whichever API made them, as behind a load balancer.
    const apiUrls = ports.map((port) => `http://127.0.0.1:${port}`);
    for (const [i, name] of APIS.entries())
      keep(name, "api/node.ts", { PORT: String(ports[i]), PUBLIC_URL: apiUrls[0] ?? "" });
    const ready = Promise.all([...processes.values()].map((each) => each.ready));
    await Promise.race([ready, refuse(START_MS, directory)]);
    return {
      apiUrls,
      apiKey: API_KEY,
      eventsToken: EVENTS_TOKEN,
      processes,
      redis,
      disk,
      s3,
      bucket,
      outside,
      setClock: (name, offsetMs) => writeFileSync(clockFile(name), String(offsetMs)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function refuse(afterMs: number, directory: string): Promise<never> {
  await sleep(afterMs, undefined, { ref: false });
  throw new Error(`The service was not ready within ${afterMs / 1_000} s; its logs are in ${directory}.`);
}
