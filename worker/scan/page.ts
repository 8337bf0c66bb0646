import { z } from "zod";
import { ListedItem } from "../../shared/contracts/queue-payloads.ts";

/** The most items of a batch that travel in one job. */
export const CHUNK_SIZE = 64;
/** The most items of a page: whole chunks, and no more than the 1000 keys that S3 lists at a time. */
export const PAGE_ITEMS = 15 * CHUNK_SIZE;

/** Some items of a source, at least one, and where the source goes on after them, in its own words. */
export const Page = z.object({ items: z.array(ListedItem), position: z.string() });
export type Page = z.infer<typeof Page>;
