import type { Batcher, Seat } from "../../../worker/classify/batcher.ts";
import { markedImage } from "../../support/fake-engine.ts";

/** The seat of a bulk image of one tenant. */
export const BULK: Seat = { lane: "bulk", tenant: "a" };
/** Classifies an image that is decoded already. */
export const classify = (batcher: Batcher, mark: number, seat: Seat = BULK) =>
  batcher.classify(seat, async () => markedImage(mark));
/** Until all is done that was under way. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
/** For a batcher that waits for nothing. */
export const noWindow = { maxWaitMs: 0 };
