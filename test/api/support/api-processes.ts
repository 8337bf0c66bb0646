import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestRedis } from "../../support/redis.ts";

const ENTRY = new URL("../../../api/node.ts", import.meta.url).pathname;

/** The key that the processes are started with. */
export const API_KEY = "a-key-of-the-node-test";

/** The header to send it with. */
export const authorization = `Bearer ${API_KEY}`;

/** What the query of an address has that is never to be logged. */
export const SECRET = "signature-of-a-presigned-url";

interface Running {
  child: ChildProcess;
  exited: Promise<number | null>;
  /** All that it has written so far. */
  said: { stdout: string; stderr: string };
}

/** Asks the API at an address for a classification. */
export const submit = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/classifications`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json", ...headers },
    body: JSON.stringify({ image: { url: `https://example.com/cat.jpg?token=${SECRET}` } }),
  });

/** The API in processes of its own, over a Redis and a new directory; `endAll` is for `afterAll`. */
export function apiProcesses(redis: () => TestRedis) {
  const directory = mkdtempSync(join(tmpdir(), "tresline-node-"));
  const children = new Set<ChildProcess>();

  /** Runs the entry with this environment and no other. */
  function run(env: Record<string, string>): Running {
    const child = spawn(process.execPath, [ENTRY], {
      env: { REDIS_URL: redis().url, STORAGE_URL: `file:${directory}`, PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    children.add(child);
    const said = { stdout: "", stderr: "" };
    const closed = (["stdout", "stderr"] as const).map((name) => {
      const stream = child[name];
      stream?.on("data", (data: Buffer) => (said[name] += data.toString()));
      return stream === null ? undefined : once(stream, "close");
    });
    const exited = once(child, "exit").then(async ([code]) => {
      for (const each of closed) await each;
      return code as number | null;
    });
    return { child, exited, said };
  }

  async function start(env: Record<string, string> = {}): Promise<Running & { url: string }> {
    const running = run({ API_KEY, ...env });
    const [{ url }] = (await once(running.child, "message")) as [{ url: string }];
    return { ...running, url };
  }

  /** The channels on which requests wait for their results. */
  const waits = async () => (await redis().redis.pubsub("CHANNELS", "*finished*")) as string[];

  async function endAll(): Promise<void> {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(directory, { recursive: true, force: true });
  }

  return { directory, run, start, waits, endAll };
}
