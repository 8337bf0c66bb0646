import type { ClassifyDeps } from "../../../worker/classify/start.ts";
import type { WorkerDeps } from "../../../worker/start.ts";

const ANSWER = Float32Array.of(0.9, 0.1);
const unused = () => Promise.reject(new Error("not used"));

/** What a handler of the `classify` role works with, when labelling costs nothing: no picture is decoded and no model is run. */
export const noopLabelling = (
  deps: Pick<WorkerDeps, "redis" | "storage" | "buckets" | "queues" | "logger" | "metrics" | "tracer">,
): ClassifyDeps => ({
  ...deps,
  quarantine: (_id, run) => run(),
  canceled: { during: (_id, run) => run(new AbortController().signal), close: () => {} },
  labelWriter: {
    getTags: unused,
    putTags: unused,
    getSidecar: unused,
    putSidecar: unused,
    close: async () => {},
  },
  model: { name: "figures", digest: `sha256:${"0".repeat(64)}`, device: "cpu" },
  labelling: {
    labels: ["a", "b"],
    metrics: deps.metrics,
    sources: {
      safeFetch: { fetch: unused, close: async () => {} },
      storage: deps.storage,
      buckets: deps.buckets,
      maxBytes: 1,
    },
    decode: async (file) => file,
    batcher: {
      async classify(_seat, prepare) {
        await prepare();
        return { answer: ANSWER, batchWaitMs: 0, inferenceMs: 0, batchSize: 1 };
      },
    },
  },
});
