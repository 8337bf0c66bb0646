import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "../../api/client/client.ts";
import type { Client } from "../../api/client/client.ts";
import { startTestRedis } from "./redis.ts";
import type { TestRedis } from "./redis.ts";
import type { LogLine } from "./open-log.ts";

/** A process of Tresline, which runs until it is told to stop. */
export interface Member {
  /** What it has logged so far. */
  log: LogLine[];
  /** Tells it to stop, and gives its exit code and the signal it ended by. */
  stop: () => Promise<[code: number | null, signal: NodeJS.Signals | null]>;
}

/** Processes that come and go over one Redis and one storage, as in a rolling deploy. */
export interface Fleet {
  redis: TestRedis;
  /** Where its files are. */
  directory: string;
  startWorker: (env?: Record<string, string>) => Promise<Member>;
  startApi: (env?: Record<string, string>) => Promise<Member & { url: string; client: Client }>;
  /** Ends what still runs, and forgets all data. */
  stop: () => Promise<void>;
}

const API_KEY = "test-api-key-0123456789";

/** Opens the Redis and the storage of one, without any process; to be stopped in `afterAll`. */
export async function openFleet(): Promise<Fleet> {
  const redis = await startTestRedis();
  const directory = mkdtempSync(join(tmpdir(), "tresline-fleet-"));
  const common = {
    ...process.env,
    REDIS_URL: redis.url,
    STORAGE_URL: `file:${join(directory, "storage")}`,
    MODELS_DIR: join(directory, "models"),
    ALLOWED_PRIVATE_NETWORKS: "127.0.0.0/8",
    LOG_LEVEL: "info",
    API_KEY,
    PORT: "0",
  };
  const members: Member[] = [];

  async function start(
    entry: string,
    env: Record<string, string>,
  ): Promise<{ member: Member; ready: unknown }> {
    const stdio = ["ignore", "pipe", "pipe", "ipc"] as const;
    const child = spawn(process.execPath, [entry], { env: { ...common, ...env }, stdio: [...stdio] });
    const log: LogLine[] = [];
    let rest = "";
    child.stdout?.on("data", (piece: Buffer) => {
      const lines = (rest + piece.toString()).split("\n");
      rest = lines.pop() ?? "";
      log.push(...lines.map((line) => JSON.parse(line) as LogLine));
    });
    let complaint = "";
    child.stderr?.on("data", (piece: Buffer) => (complaint += piece.toString()));
    // `close` comes after all of its output.
    const closed = once(child, "close") as ReturnType<Member["stop"]>;
    const failed = closed.then(([code]) => {
      throw new Error(`${entry} ended with exit code ${code}: ${complaint}`);
    });
    const [ready] = (await Promise.race([once(child, "message"), failed])) as [unknown];
    failed.catch(() => {});
    const member = {
      log,
      stop() {
        child.kill("SIGTERM");
        return closed;
      },
    };
    members.push(member);
    return { member, ready };
  }

  return {
    redis,
    directory,
    startWorker: async (env = {}) => (await start("worker/main.ts", env)).member,
    async startApi(env = {}) {
      const { member, ready } = await start("api/node.ts", env);
      const { url } = ready as { url: string };
      return { ...member, url, client: createClient({ url, apiKey: API_KEY }) };
    },
    async stop() {
      await Promise.all(members.map((each) => each.stop()));
      await redis.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
