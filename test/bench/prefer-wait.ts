import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "../../api/cli/summarize.ts";
import { createClient } from "../../api/client/client.ts";
import type { Client } from "../../api/client/client.ts";
import { startTresline } from "../../infra/local/tresline.ts";
import { BatchResult } from "../../shared/contracts/batch.ts";
import type { Classification } from "../../shared/contracts/classification.ts";
import { storageKeys } from "../../shared/keys.ts";
import { demoSource, ensureDemoModel } from "../../worker/model/demo.ts";
import { openModelDir } from "../../worker/model/model-dir.ts";
import { median, medianOf } from "./support/bench.ts";
import type { Curve, Figure } from "./support/bench.ts";
import { besides } from "./support/besides.ts";
import { enqueueChunks, openBench, storeJpegs } from "./support/pipeline.ts";
import type { BenchDeps } from "./support/pipeline.ts";
import { openBareSession } from "./support/rates.ts";

const MODEL = "figures";
const ROUNDS = 5;
/** Requests a round; each is as slow as a micro-batch or two under load. */
const [REQUESTS_IDLE, REQUESTS_LOADED] = [40, 30];
/** Requests until V8 has compiled what a service that has run for a minute has compiled: the first 200 take a tenth longer. */
const WARM_UP = 300;
const WAIT_S = 30;
/** More than the worker does meanwhile. */
const BULK = 30_000;
/** Milliseconds in which the threads of ONNX Runtime stop spinning, and the cores are idle again. */
const SETTLE_MS = 100;

interface Answer {
  requestMs: number;
  classification: Classification;
}

/** How long a request with `Prefer: wait` takes, with an API and a worker in processes of their own: on an idle service, and while a batch keeps it busy. */
export async function preferWait(): Promise<Figure[]> {
  const deps = await openBench({ MODEL });
  const dataDir = mkdtempSync(join(tmpdir(), "tresline-bench-data-"));
  const { REDIS_URL, STORAGE_URL, MODELS_DIR } = deps.config;
  const env = { REDIS_URL, STORAGE_URL, MODELS_DIR, MODEL, PORT: "0" };
  try {
    const tresline = await startTresline({ DATA_DIR: dataDir }, env, () => {});
    try {
      const client = createClient({ url: tresline.url, apiKey: tresline.apiKey, retries: 0 });
      return [await idle(client, deps), await loaded(client, deps)];
    } finally {
      await tresline.stop();
    }
  } finally {
    await deps.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function idle(client: Client, { config }: BenchDeps): Promise<Figure> {
  const bare = await openBareSession(openModelDir(ensureDemoModel(MODEL, config.MODELS_DIR)), 1);
  const image = sample();
  await ask(client, image, WARM_UP);
  const rounds: { above: number; inference: number }[] = [];
  const answers: Answer[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const inferences = [];
    for (let run = 0; run < REQUESTS_IDLE; run++) inferences.push(await bare.run(1));
    await sleep(SETTLE_MS);
    const asked = await ask(client, image, REQUESTS_IDLE);
    const inference = median(inferences);
    rounds.push({ above: median(asked.map(({ requestMs }) => requestMs)) - inference, inference });
    answers.push(...asked);
  }
  await bare.close();
  return {
    name: "Prefer: wait on an idle service, p50 above the bare inference",
    what: "a PNG as the body of a request to the API's process until its answer, one at a time, less one run of the bare session on one image",
    ...medianOf(rounds.map(({ above }) => above)),
    unit: "ms",
    goal: { atMost: 12 },
    beside: { "bare inference ms": median(rounds.map(({ inference }) => inference)), ...latencies(answers) },
    curve: curve("idle", answers),
  };
}

async function loaded(client: Client, deps: BenchDeps): Promise<Figure> {
  const keys = (await storeJpegs(deps.storage, 64)).map(({ key }) => key);
  const { batchId, chunks } = await enqueueChunks(deps, MODEL, keys, BULK);
  while ((await readPart(deps, batchId, 7)) === undefined) await sleep(SETTLE_MS);
  const image = sample();
  const asked: Answer[][] = [];
  for (let round = 0; round < ROUNDS; round++) asked.push(await ask(client, image, REQUESTS_LOADED));
  if ((await readPart(deps, batchId, chunks - 1)) !== undefined)
    throw new Error("The worker ran out of bulk work: enqueue more images.");
  const microBatchMs = await fullMicroBatchMs(deps, batchId);
  const answers = asked.flat();
  const p95 = (of: readonly Answer[]) =>
    percentile(
      of.map(({ requestMs }) => requestMs),
      0.95,
    );
  return {
    name: "Prefer: wait under a full bulk load, p95 in micro-batch times",
    what: "the same while a batch keeps the worker busy, over the median time of a full bulk micro-batch",
    value: p95(answers) / microBatchMs,
    rounds: asked.map((round) => p95(round) / microBatchMs),
    unit: "ratio",
    goal: { atMost: 3 },
    beside: { "full bulk micro-batch ms": microBatchMs, ...latencies(answers) },
    curve: curve("under a full bulk load", answers),
  };
}

/** Sends one request after the other. */
async function ask(client: Client, image: Blob, requests: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let request = 0; request < requests; request++) {
    const began = performance.now();
    const classification = await client.classifications.create(image, {}, { waitS: WAIT_S });
    const requestMs = performance.now() - began;
    if (classification.status !== "succeeded")
      throw new Error(`${classification.id} is ${classification.status}.`);
    answers.push({ requestMs, classification });
  }
  return answers;
}

const sample = () =>
  new Blob([readFileSync(join(demoSource(MODEL), "samples/bar_chart_06.png"))], { type: "image/png" });

async function readPart(
  { storage }: BenchDeps,
  batchId: string,
  chunk: number,
): Promise<BatchResult[] | undefined> {
  const bytes = await storage.get(storageKeys.batchPart(batchId, chunk));
  if (bytes === undefined) return undefined;
  const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
  return lines.map((line) => BatchResult.parse(JSON.parse(line)));
}

async function fullMicroBatchMs(deps: BenchDeps, batchId: string): Promise<number> {
  const times: number[] = [];
  for (let chunk = 0; ; chunk++) {
    const results = await readPart(deps, batchId, chunk);
    if (results === undefined) break;
    for (const { metrics } of results)
      if (metrics.batch_size === deps.config.MAX_BATCH_SIZE) times.push(metrics.inference_ms ?? NaN);
  }
  if (times.length === 0) throw new Error("No bulk micro-batch was full.");
  return median(times);
}

function latencies(answers: readonly Answer[]): Record<string, number> {
  const times = answers.map(({ requestMs }) => requestMs);
  const metrics = answers.map(({ classification }) => classification.metrics);
  const totals = metrics.map(({ total_ms }) => total_ms ?? NaN);
  return {
    "p50 ms": percentile(times, 0.5),
    "p95 ms": percentile(times, 0.95),
    "p99 ms": percentile(times, 0.99),
    "max ms": percentile(times, 1),
    "p50 of the worker's total_ms": percentile(totals, 0.5),
    ...besides(metrics),
  };
}

const curve = (line: string, answers: readonly Answer[]): Curve => ({
  plot: "latency",
  title: "A request with Prefer: wait",
  x: "percentile of the requests",
  y: "ms",
  line,
  points: Array.from({ length: 99 }, (_, index) => [
    index + 1,
    percentile(
      answers.map(({ requestMs }) => requestMs),
      (index + 1) / 100,
    ),
  ]),
});
