import type { Lane } from "../../shared/contracts/lane.ts";

/** Something that waits in a lane for a tenant. */
export interface Waiting {
  lane: Lane;
  tenant: string;
}

/** Out of this many in a row, one is bulk while bulk waits, however much interactive there is. */
export const BULK_TURN = 8;

/**
 * Who is next: interactive before bulk, with a guaranteed share for bulk; inside a lane the tenants take turns; of one
 * tenant, first come, first served.
 */
export class Lanes<Item extends Waiting> {
  readonly #queues: Record<Lane, Map<string, Item[]>> = { interactive: new Map(), bulk: new Map() };
  #interactiveInARow = 0;
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Takes a place at the end of the tenant's queue. */
  push(item: Item): void {
    this.#queueOf(item).push(item);
    this.#size++;
  }

  /** Takes back the first place of the tenant's queue, for one that was taken and could not go. */
  putBack(item: Item): void {
    this.#queueOf(item).unshift(item);
    this.#size++;
  }

  /** Takes who is next, or undefined. */
  next(): Item | undefined {
    const { interactive, bulk } = this.#queues;
    const isBulkTurn = bulk.size > 0 && (interactive.size === 0 || this.#interactiveInARow >= BULK_TURN - 1);
    this.#interactiveInARow = isBulkTurn || bulk.size === 0 ? 0 : this.#interactiveInARow + 1;
    return this.#takeFrom(isBulkTurn ? bulk : interactive);
  }

  #takeFrom(lane: Map<string, Item[]>): Item | undefined {
    for (const [tenant, items] of lane) {
      const item = items.shift();
      // A map keeps the order of insertion: whoever was served goes to the end.
      lane.delete(tenant);
      if (items.length > 0) lane.set(tenant, items);
      this.#size--;
      return item;
    }
    return undefined;
  }

  #queueOf({ lane, tenant }: Item): Item[] {
    const queue = this.#queues[lane].get(tenant) ?? [];
    this.#queues[lane].set(tenant, queue);
    return queue;
  }
}
