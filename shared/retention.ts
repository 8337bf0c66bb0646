import { firstIdAt, timeOfId } from "./new-id.ts";
import type { IdPrefix } from "./contracts/ids.ts";

const DAY_MS = 86_400_000;

/** Until when (RFC 3339) what has this id is kept, when things are kept for so many days; null when they are kept for ever, for 0. */
export const expiryOf = (days: number, id: string): string | null =>
  days === 0 ? null : new Date(timeOfId(id).getTime() + days * DAY_MS).toISOString();

/** Whether what has this id may have been deleted, since it was made more than so many days ago. */
export const hasExpired = (days: number, id: string): boolean =>
  days > 0 && timeOfId(id).getTime() + days * DAY_MS < Date.now();

/** The time (UTC) before which things are no longer kept, when they are for so many days. */
export const keptSince = (days: number): Date => new Date(Date.now() - days * DAY_MS);

/** What the ids of this kind that are kept for so many days come after; undefined for 0, when all are. */
export const idsKeptFrom = (days: number, prefix: IdPrefix): string | undefined =>
  days === 0 ? undefined : firstIdAt(prefix, keptSince(days));
