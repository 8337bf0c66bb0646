import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { createApp } from "../../../api/app.ts";
import { ApiConfig } from "../../../api/config.ts";
import { openDeps } from "../../../api/deps.ts";
import type { ApiDeps } from "../../../api/deps.ts";
import { readConfig } from "../../../shared/config.ts";
import { WorkerConfig } from "../../../worker/config.ts";
import { startWorker } from "../../../worker/start.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";
import { checkResponse } from "./check-response.ts";

/** The key that `request` sends. */
export const API_KEY = "test-api-key-0123456789";

/** What links in answers begin with. */
export const PUBLIC_URL = "https://tresline.example";

/** The API over a real Redis and a directory of a test file's own. */
export interface TestApi {
  app: ReturnType<typeof createApp>;
  deps: ApiDeps;
  redis: TestRedis;
  /** Where storage keeps its files. */
  directory: string;
  /** Every line that the API has logged. */
  logLines: string[];
  /** Sends a request with the API key unless `init` has an `authorization` header, and holds the answer to the OpenAPI document. */
  request: (path: string, init?: RequestInit) => Promise<Response>;
  /** The same with a JSON body. */
  post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Response>;
  /** Starts a worker on the demo model `figures` that may fetch from this machine, with all roles unless `settings` say otherwise. */
  startWorker: (settings?: Record<string, string>) => Promise<void>;
  close: () => Promise<void>;
}

/** Starts it; to be closed in `afterAll`. `settings` are environment variables of the API. */
export async function startTestApi(settings: Record<string, string> = {}): Promise<TestApi> {
  const redis = await startTestRedis();
  const root = mkdtempSync(join(tmpdir(), "tresline-api-"));
  const directory = join(root, "storage");
  const common = { REDIS_URL: redis.url, STORAGE_URL: `file:${directory}`, LOG_LEVEL: "silent" };
  const apiConfig = readConfig(ApiConfig, { ...common, API_KEY, PUBLIC_URL, ...settings });
  const opened = await openDeps(apiConfig, new AbortController().signal);
  const logLines: string[] = [];
  const logger = pino({ level: "debug" }, { write: (line: string) => void logLines.push(line) });
  const deps: ApiDeps = { ...opened, logger };
  const app = createApp(deps);
  const closings: (() => Promise<void>)[] = [];

  const request: TestApi["request"] = async (path, init = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${API_KEY}`);
    const response = await app.request(path, { ...init, headers });
    await checkResponse(app, init.method ?? "GET", path, response.clone());
    return response;
  };

  return {
    app,
    deps,
    redis,
    directory,
    logLines,
    request,
    post: (path, body, headers = {}) =>
      request(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    async startWorker(workerSettings = {}) {
      const config = readConfig(WorkerConfig, {
        ...common,
        MODELS_DIR: join(root, "models"),
        ALLOWED_PRIVATE_NETWORKS: "127.0.0.0/8",
        ...workerSettings,
      });
      const worker = await startWorker(config, (error) => {
        throw error;
      });
      closings.push(worker.close);
    },
    async close() {
      await Promise.all(closings.map((each) => each()));
      await opened.close();
      await redis.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
