import type { RedisClient } from "../redis.ts";

/** Which part of a list is asked for. */
export interface Place {
  /** How many at most. */
  limit: number;
  /** The id of the last one of the page before; undefined for the first page. */
  before: string | undefined;
}

/** A part of a list, the newest first, and what to go on from; `next` is null when nothing comes after it. */
export interface PageOf<Item> {
  data: Item[];
  next: string | null;
}

/** Makes a page of one item more than asked for, which tells whether there are more. */
export function toPage<Item>(
  found: readonly Item[],
  limit: number,
  cursorOf: (item: Item) => string,
): PageOf<Item> {
  const data = found.slice(0, limit);
  const last = data.at(-1);
  return { data, next: found.length > limit && last !== undefined ? cursorOf(last) : null };
}

/**
 * A page of a list of ids: a sorted set all of score 0, which ids sort by the time they were made.
 * @param oldest what the ids that are wanted come after; all when undefined
 */
export async function pageOfIds(
  redis: RedisClient,
  list: string,
  { limit, before }: Place,
  oldest?: string,
): Promise<PageOf<string>> {
  const from = before === undefined ? "+" : `(${before}`;
  const to = oldest === undefined ? "-" : `(${oldest}`;
  const found = await redis.zrevrangebylex(list, from, to, "LIMIT", 0, limit + 1);
  return toPage(found, limit, (id) => id);
}

/** How many ids of classifications or batches a tenant's list has: some 10 MB. */
export const MOST_LISTED = 100_000;

/** KEYS[1] the list (sorted set, all of score 0)   ARGV[1] the id   ARGV[2] the most ids it may have */
const ADD = `
redis.call("ZADD", KEYS[1], 0, ARGV[1])
if redis.call("ZCARD", KEYS[1]) > tonumber(ARGV[2]) then redis.call("ZPOPMIN", KEYS[1]) end`;

/** Adds a new id to a list; from one that is full the oldest goes. */
export async function addNewestId(
  redis: RedisClient,
  list: string,
  id: string,
  most = MOST_LISTED,
): Promise<void> {
  await redis.eval(ADD, 1, list, id, most);
}
