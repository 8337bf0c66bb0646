import { rungFor } from "../engine/ladder.ts";

/** How much of a new measurement enters the average. */
const WEIGHT = 0.2;

/** What micro-batches cost, learned from those that ran: about a + b·n milliseconds for a rung of n. */
export class RungCosts {
  readonly #rungs: readonly number[];
  readonly #averageMs = new Map<number, number>();

  constructor(rungs: readonly number[]) {
    this.#rungs = rungs;
  }

  /** Learns that a rung took so many milliseconds. */
  learn(rung: number, ms: number): void {
    const average = this.#averageMs.get(rung) ?? ms;
    this.#averageMs.set(rung, average + WEIGHT * (ms - average));
  }

  /**
   * How many of `waiting` images to run now: all of them, padded to their rung, or as many as fill the rung below when that
   * is cheaper by the image. At most the largest rung.
   */
  worthRunning(waiting: number): number {
    const largest = this.#rungs.at(-1) ?? 1;
    if (waiting >= largest) return largest;
    const above = rungFor(this.#rungs, waiting);
    const below = this.#rungs[this.#rungs.indexOf(above) - 1] ?? above;
    const [costAbove, costBelow] = [this.#averageMs.get(above), this.#averageMs.get(below)];
    if (costAbove === undefined || costBelow === undefined) return waiting;
    return costBelow / below < costAbove / waiting ? below : waiting;
  }

  /**
   * How many images may run together with `urgent` interactive ones: as many as fill a rung that takes at most twice as long
   * as the interactive ones would alone. So bulk has its share, and a single image does not wait for a full micro-batch of it.
   */
  besides(urgent: number): number {
    const aloneMs = this.#averageMs.get(rungFor(this.#rungs, urgent));
    const isQuick = (rung: number) => (this.#averageMs.get(rung) ?? Infinity) <= 2 * (aloneMs ?? 0);
    const largest = this.#rungs.at(-1) ?? 1;
    return aloneMs === undefined ? largest : Math.max(urgent, ...this.#rungs.filter(isQuick));
  }

  /** The a of a + b·n, in milliseconds: what a micro-batch costs before its first image. 0 until two rungs are known. */
  fixedMs(): number {
    const known = this.#rungs.filter((rung) => this.#averageMs.has(rung));
    const [small, large] = [known[0], known.at(-1)];
    if (small === undefined || large === undefined || small === large) return 0;
    const [smallMs, largeMs] = [this.#averageMs.get(small) ?? 0, this.#averageMs.get(large) ?? 0];
    const perImageMs = (largeMs - smallMs) / (large - small);
    return Math.max(0, smallMs - perImageMs * small);
  }
}
