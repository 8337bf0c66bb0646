import { z } from "zod";
import { ListedItem } from "../../shared/contracts/queue-payloads.ts";
import type { BatchRecord } from "../../shared/contracts/queue-payloads.ts";
import { CHUNK_SIZE } from "../../shared/queue.ts";

/** The most items of a page: whole chunks, and no more than the 1000 keys that S3 lists at a time. */
export const PAGE_ITEMS = 15 * CHUNK_SIZE;

/** Some items of a source, at least one, and where the source goes on after them, in its own words. */
export const Page = z.object({ items: z.array(ListedItem), position: z.string() });
export type Page = z.infer<typeof Page>;

/** Seconds of work in a page of a run that goes no faster than it was told. */
const PACED_PAGE_SECONDS = 10;

/** The most items of a page, whoever asks: fewer when it is to go slowly, so that a page is not a burst. */
export const pageItems = ({ images_per_second }: Pick<BatchRecord, "images_per_second">): number =>
  images_per_second === undefined
    ? PAGE_ITEMS
    : Math.min(PAGE_ITEMS, Math.max(1, Math.floor(images_per_second * PACED_PAGE_SECONDS)));
