import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { openReadyFile } from "../../worker/ready-file.ts";
import { startTestRedis } from "../support/redis.ts";
import type { TestRedis } from "../support/redis.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tresline-ready-"));
  path = join(directory, "ready");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const startWorker = (env: Record<string, string>) =>
  spawn(process.execPath, ["worker/cli.ts", "start"], {
    stdio: "ignore",
    env: {
      REDIS_URL: redis.url,
      STORAGE_URL: `file:${join(directory, "storage")}`,
      MODELS_DIR: directory,
      LOG_LEVEL: "silent",
      READY_FILE: path,
      ...env,
    },
  });

test("the file is there while a worker takes jobs, and gone as soon as it is told to stop", async () => {
  const worker = startWorker({ WORKER_ROLES: "deliver" });
  const ended = once(worker, "exit");
  await expect.poll(() => existsSync(path), { timeout: 20_000 }).toBe(true);
  worker.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  expect(existsSync(path)).toBe(false);
});

test("the file of a process that was killed is gone before the next one is ready, if it ever is", async () => {
  writeFileSync(path, "left behind");
  const [code] = (await once(startWorker({ MODEL: "nowhere" }), "exit")) as [number];
  expect(code).toBe(2);
  expect(existsSync(path)).toBe(false);
});

test("it is written anew while the process turns", () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const file = openReadyFile(path);
    file.keep();
    utimesSync(path, 0, 0);
    vi.advanceTimersByTime(4_999);
    expect(statSync(path).mtimeMs).toBe(0);
    vi.advanceTimersByTime(1);
    expect(statSync(path).mtimeMs).toBeGreaterThan(0);
    file.remove();
    vi.advanceTimersByTime(60_000);
    expect(existsSync(path)).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});

test("a worker that cannot write it says so instead of never being ready", () => {
  expect(() => openReadyFile(join(directory, "nowhere/ready")).keep()).toThrow(
    /^READY_FILE cannot be written: .*ENOENT/,
  );
});
