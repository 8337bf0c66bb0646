import type { RungCosts } from "./rung-costs.ts";

/** How much of a new gap between arrivals enters the average. */
const WEIGHT = 0.2;

/** What is known when an instance is free and a micro-batch could run. */
export interface Situation {
  /** Whether an interactive image is among those that wait. */
  isInteractive: boolean;
  /** Images that wait to be run. */
  waiting: number;
  /** Images that are being fetched or decoded: the only ones worth waiting for. */
  coming: number;
  /** Milliseconds since the first of those that wait arrived. */
  waitedMs: number;
}

/**
 * Decides whether to wait for one more image. Waiting makes each of n images a gap later, and saves the newcomer the
 * fixed cost of a micro-batch: it pays while n · gap < a. Both are learned. For bulk images, of which nobody waits for a
 * single one, it always pays. The whole wait is bounded.
 */
export class Window {
  readonly #maxWaitMs: number;
  readonly #costs: RungCosts;
  #gapMs: number | undefined;
  #lastArrival: number | undefined;

  /** `maxWaitMs` is the longest that an image waits for others while an instance is free. */
  constructor(maxWaitMs: number, costs: RungCosts) {
    this.#maxWaitMs = maxWaitMs;
    this.#costs = costs;
  }

  /** Notes an arrival at `now`, in milliseconds. */
  arrived(now: number): void {
    if (this.#lastArrival !== undefined) {
      const gap = now - this.#lastArrival;
      this.#gapMs = this.#gapMs === undefined ? gap : this.#gapMs + WEIGHT * (gap - this.#gapMs);
    }
    this.#lastArrival = now;
  }

  /** Milliseconds to wait for the next arrival; 0 to run now. */
  waitMs({ isInteractive, waiting, coming, waitedMs }: Situation): number {
    const left = this.#maxWaitMs - waitedMs;
    if (coming === 0 || left <= 0) return 0;
    if (!isInteractive) return left;
    if (this.#gapMs === undefined) return 0;
    return waiting * this.#gapMs < this.#costs.fixedMs() ? Math.min(left, 2 * this.#gapMs) : 0;
  }
}
