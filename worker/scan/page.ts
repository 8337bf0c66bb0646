import type { ListedItem } from "../../shared/contracts/queue-payloads.ts";

/** The most items of a page: 15 chunks, and less than the 1000 keys that S3 lists at a time. */
export const PAGE_ITEMS = 960;

/** Some items of a source, at least one, and where the source goes on after them, in its own words. */
export interface Page {
  items: ListedItem[];
  position: string;
}
