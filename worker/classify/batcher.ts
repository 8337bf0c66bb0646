import type { Engine } from "../engine/engine.ts";
import { rungFor } from "../engine/ladder.ts";
import type { Slab } from "../engine/slab.ts";
import type { Lane } from "../../shared/contracts/lane.ts";
import { BULK_TURN, Lanes } from "./lanes.ts";
import { RungCosts } from "./rung-costs.ts";
import { Window } from "./window.ts";

/** Whose image it is, and until when it is worth running. */
export interface Seat {
  lane: Lane;
  tenant: string;
  /** Aborted when the image is no longer wanted: it is dropped before it enters a micro-batch, with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** What the batcher says of one image. */
export interface BatchedResult {
  /** float32 [2, K]: the highest scores, 0 to 1, best first, and below them their classes' numbers. */
  answer: Float32Array;
  /** Milliseconds from its arrival until its micro-batch began. */
  batchWaitMs: number;
  /** Milliseconds that its micro-batch took. */
  inferenceMs: number;
  /** Images in its micro-batch, padding not counted. */
  batchSize: number;
}

/** A micro-batch that ran: its images, the rung it was padded to, and the milliseconds it took. */
export interface RanMicroBatch {
  images: number;
  rung: number;
  inferenceMs: number;
}

/** Gathers images into micro-batches. */
export interface Batcher {
  /**
   * Reserves a place for an image that is about to be fetched and decoded by `prepare`, and puts what that returns,
   * uint8 [H, W, 3], into a micro-batch. Rejects with what `prepare` or the engine threw.
   */
  classify(seat: Seat, prepare: () => Promise<Uint8Array>): Promise<BatchedResult>;
}

interface Arrival extends Seat {
  pixels: Uint8Array;
  since: number;
  settle: PromiseWithResolvers<BatchedResult>;
}

/** The micro-batch that is filled while others run. */
interface Filling {
  slab: Slab;
  rows: Arrival[];
}

/**
 * Runs what is ready as soon as an instance is free, and waits for more only while that pays. Its pixels are copied on
 * arrival into the slab that runs next, so that an instance that becomes free starts at once.
 */
export function createBatcher(
  engine: Engine,
  { maxWaitMs, onRan }: { maxWaitMs: number; onRan?: (microBatch: RanMicroBatch) => void },
): Batcher {
  const capacity = engine.rungs.at(-1) ?? 1;
  const lanes = new Lanes<Arrival>();
  const costs = new RungCosts(engine.rungs);
  for (const [index, rung] of engine.rungs.entries()) costs.learn(rung, engine.warmMs[index] ?? 0);
  const window = new Window(maxWaitMs, costs);
  const slabs = Array.from({ length: engine.instances + 1 }, () => engine.createSlab());
  let filling: Filling = { slab: slabs.pop() ?? engine.createSlab(), rows: [] };
  let running = 0;
  let coming = 0;
  let timer: NodeJS.Timeout | undefined;

  /** Fills the next micro-batch from the lanes; an interactive image may take the place of the last bulk one. */
  const fill = () => {
    while (filling.rows.length < capacity && lanes.size > 0) enter(lanes.next());
  };
  const enter = (arrival: Arrival | undefined) => {
    if (arrival === undefined) return;
    if (arrival.signal?.aborted) return arrival.settle.reject(arrival.signal.reason);
    try {
      filling.slab.put(filling.rows.length, arrival.pixels);
      filling.rows.push(arrival);
    } catch (error) {
      arrival.settle.reject(error);
    }
  };
  /** Takes those out that were aborted since they entered, and moves the others up. */
  const dropAborted = () => {
    if (filling.rows.some(({ signal }) => signal?.aborted))
      for (const each of filling.rows.splice(0)) enter(each);
  };
  const arrive = (arrival: Arrival) => {
    window.arrived(arrival.since);
    const { rows, slab } = filling;
    const mayDisplace = arrival.lane === "interactive" && !arrival.signal?.aborted;
    const row = mayDisplace && rows.length === capacity ? lastBulkToSpare(rows) : -1;
    const displaced = rows[row];
    if (displaced === undefined) lanes.push(arrival);
    else {
      lanes.putBack(displaced);
      slab.put(row, arrival.pixels);
      rows[row] = arrival;
    }
    advance();
  };

  const advance = () => {
    dropAborted();
    fill();
    clearTimeout(timer);
    while (running < engine.instances && filling.rows.length > 0) {
      const [first] = filling.rows;
      const waitedMs = performance.now() - (first?.since ?? 0);
      const isFull = filling.rows.length === capacity;
      const isInteractive = filling.rows.some(({ lane }) => lane === "interactive");
      const situation = { isInteractive, waiting: filling.rows.length, coming, waitedMs };
      const waitMs = isFull ? 0 : window.waitMs(situation);
      if (waitMs > 0) {
        timer = setTimeout(advance, waitMs);
        return;
      }
      void runNext();
      fill();
    }
  };

  /** Where an interactive image is aboard, leaves as many bulk images for later as would make it wait too long. */
  const makeQuick = () => {
    const urgent = filling.rows.filter(({ lane }) => lane === "interactive");
    const most = urgent.length === 0 ? capacity : costs.besides(urgent.length);
    if (filling.rows.length <= most) return;
    const bulk = filling.rows.filter(({ lane }) => lane === "bulk");
    filling.rows = [];
    for (const each of [...urgent, ...bulk.splice(0, most - urgent.length)]) enter(each);
    for (const left of bulk.toReversed()) lanes.putBack(left);
  };

  const runNext = async () => {
    makeQuick();
    const { slab, rows } = filling;
    const batch = rows.splice(0, costs.worthRunning(rows.length));
    for (const left of rows.toReversed()) lanes.putBack(left);
    filling = { slab: slabs.pop() ?? engine.createSlab(), rows: [] };
    running++;
    const began = performance.now();
    try {
      const rung = rungFor(engine.rungs, batch.length);
      const inferenceMs = await engine.run(slab, rung);
      costs.learn(rung, inferenceMs);
      onRan?.({ images: batch.length, rung, inferenceMs });
      for (const [row, { since, settle }] of batch.entries())
        settle.resolve({
          answer: slab.answerOf(row),
          batchWaitMs: began - since,
          inferenceMs,
          batchSize: batch.length,
        });
      slabs.push(slab);
    } catch (error) {
      // The slab is left to the thread that may still write to it; another is made when one is missing.
      for (const { settle } of batch) settle.reject(error);
    }
    running--;
    advance();
  };

  return {
    async classify(seat, prepare) {
      const settle = Promise.withResolvers<BatchedResult>();
      coming++;
      try {
        const pixels = await prepare();
        coming--;
        arrive({ ...seat, pixels, since: performance.now(), settle });
      } catch (error) {
        coming--;
        advance();
        throw error;
      }
      return settle.promise;
    },
  };
}

/** The last row that is bulk, or -1 when bulk has no more than its guaranteed share of the micro-batch. */
function lastBulkToSpare(rows: readonly Arrival[]): number {
  const bulk = rows.filter(({ lane }) => lane === "bulk").length;
  return bulk > Math.floor(rows.length / BULK_TURN) ? rows.findLastIndex(({ lane }) => lane === "bulk") : -1;
}
