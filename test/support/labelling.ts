import type { BatchRecord, ClassifyImagePayload } from "../../shared/contracts/queue-payloads.ts";
import { newId } from "../../shared/new-id.ts";
import { createBatcher } from "../../worker/classify/batcher.ts";
import { createQuarantine } from "../../worker/classify/quarantine.ts";
import type { ClassifyDeps } from "../../worker/classify/start.ts";
import type { Engine } from "../../worker/engine/engine.ts";
import { createSlab } from "../../worker/engine/slab.ts";
import { createDecoder } from "../../worker/image/decoder.ts";
import type { SafeFetch } from "../../worker/net/safe-fetch.ts";
import { oneBitPng } from "./images.ts";
import type { WorkerTestDeps } from "./worker-deps.ts";

/** The digest of the model that is no model. */
export const TEST_DIGEST = `sha256:${"0".repeat(64)}`;

/** Answers to image URLs by their path, one after the other, the last one for ever: a status, or a file. */
export type Answers = Record<string, (number | Uint8Array)[]>;

/** What a handler of the `classify` role works with, when images come from `answers` and a white one is a "swan", a black one a "raven". */
export function testLabelling(deps: WorkerTestDeps, answers: Answers) {
  const fetched: string[] = [];
  const safeFetch: SafeFetch = {
    async fetch(url) {
      const { pathname } = new URL(url);
      const list = answers[pathname] ?? [404];
      const answer =
        list[Math.min(fetched.filter((each) => each === pathname).length, list.length - 1)] ?? 404;
      fetched.push(pathname);
      const found = typeof answer !== "number";
      const body = found ? answer : new Uint8Array();
      return { status: found ? 200 : answer, headers: {}, body, truncated: false, url };
    },
    close: async () => {},
  };
  const shape = { size: [4, 4], topK: 2 } as const;
  const engine: Engine = {
    rungs: [1, 2, 4, 8],
    instances: 1,
    warmMs: [1, 1, 1, 1],
    createSlab: () => createSlab(8, shape),
    async run({ memory }, rung) {
      const pixels = new Uint8Array(memory.pixels);
      const scores = new Float32Array(memory.answers);
      for (let row = 0; row < rung; row++)
        scores.set(pixels[row * 4 * 4 * 3] === 255 ? [0.9, 0.1, 0, 1] : [0.8, 0.2, 1, 0], row * 4);
      return 1;
    },
    close: async () => {},
  };
  const classifyDeps: ClassifyDeps = {
    ...deps,
    quarantine: createQuarantine(deps.redis),
    canceled: { during: (_id, run) => run(new AbortController().signal), close: () => {} },
    model: { name: "birds", digest: TEST_DIGEST, device: "cpu" },
    labelling: {
      labels: ["swan", "raven"],
      metrics: deps.metrics,
      batcher: createBatcher(engine, { maxWaitMs: 0 }),
      sources: { safeFetch, storage: deps.storage, buckets: deps.buckets, maxBytes: 1_000_000 },
      decode: createDecoder({
        size: [4, 4],
        cropMode: "squash",
        cropPct: 1,
        interpolation: "bilinear",
        maxPixels: 1_000_000,
      }),
    },
  };
  return { classifyDeps, fetched };
}

/** A white and a black picture. */
export const swan = await oneBitPng(16, 16, 0);
export const raven = await oneBitPng(16, 16, 16);

/** The job of one classification of the image at `path`, for the tests' only tenant, with a callback. */
export function imageJob(path: string, more: Partial<ClassifyImagePayload> = {}): ClassifyImagePayload {
  const id = newId("cls");
  return {
    kind: "image",
    id,
    tenant: "default",
    model: "birds",
    top_k: 5,
    threshold: 0,
    image: { type: "url", url: `https://images.example${path}` },
    priority: "interactive",
    feed: "test",
    metadata: { album: "2026" },
    webhook: { url: "https://client.example/hook" },
    created_at: new Date(Date.now() - 1_000).toISOString(),
    deadline: null,
    expires_at: null,
    url: `https://api.example/v1/classifications/${id}`,
    ...more,
  };
}

/** What a new batch is made of, with a callback. */
export function batchRecord(more: Partial<BatchRecord> = {}): BatchRecord {
  const id = newId("bat");
  return {
    id,
    tenant: "default",
    model: "birds",
    top_k: 1,
    threshold: 0,
    source: { type: "items" },
    output_formats: [],
    deadline: null,
    expires_at: null,
    metadata: {},
    webhook: { url: "https://client.example/hook" },
    created_at: new Date(Date.now() - 5_000).toISOString(),
    url: `https://api.example/v1/batches/${id}`,
    ...more,
  };
}
