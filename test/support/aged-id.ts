import type { IdPrefix } from "../../shared/contracts/ids.ts";
import { firstIdAt, newId } from "../../shared/new-id.ts";

/** A new id as it would have been made so many days ago. */
export const agedId = (prefix: IdPrefix, days: number): string =>
  `${firstIdAt(prefix, new Date(Date.now() - days * 86_400_000))}${newId(prefix).slice(-16)}`;
