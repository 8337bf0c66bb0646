import { expect, test } from "vitest";
import { advise } from "../../../api/cli/advise.ts";
import type { Showing } from "../../../api/cli/advise.ts";

const showing: Showing = {
  device: "cuda",
  isBehind: true,
  meanSize: 31,
  microBatches: [
    { size: 7, count: 1 },
    { size: 32, count: 40 },
  ],
  stages: { queue_ms: 9_000, fetch_ms: 5, decode_ms: 20, batch_wait_ms: 60, inference_ms: 40 },
};

test("a service that keeps up needs no change", () => {
  expect(advise({ ...showing, isBehind: false })).toEqual({
    change: "none",
    reason:
      "The service keeps up: latency does not grow. Micro-batches hold 31.0 images on average, 32 at most. Try a higher --rate to find the limit.",
  });
});

test("images that pile up before the decoder ask for cores", () => {
  const { change, reason } = advise({ ...showing, stages: { ...showing.stages, decode_ms: 400 } });
  expect(change).toBe("give workers more cores, or run more workers");
  expect(reason).toContain("400 ms on being decoded");
});

test("images that are slow to come ask to be nearer", () => {
  expect(advise({ ...showing, stages: { ...showing.stages, fetch_ms: 400 } }).reason).toContain(
    "fetching is the bottleneck",
  );
});

test("full micro-batches on a GPU ask for larger ones", () => {
  expect(advise(showing).change).toMatch(/^MAX_BATCH_SIZE=64;/);
});

test("micro-batches that are not full on a GPU ask for another instance", () => {
  expect(advise({ ...showing, meanSize: 12 }).change).toBe("ENGINE_INSTANCES=2");
});

test("a model that is the bottleneck on a CPU asks for cores or a GPU", () => {
  expect(advise({ ...showing, device: "cpu" }).change).toBe(
    "give workers more cores, run more workers, or use a GPU",
  );
});

test("nothing is recommended when no image was labelled", () => {
  expect(advise({ ...showing, microBatches: [], meanSize: 0, stages: {} }).change).toBe("none");
});
