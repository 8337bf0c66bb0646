import { z } from "zod";
import type { S3Object } from "../../shared/contracts/image.ts";
import type { ListedItem } from "../../shared/contracts/queue-payloads.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import type { SourceBuckets } from "../../shared/storage/source-buckets.ts";
import { PAGE_ITEMS } from "./page.ts";
import type { Page } from "./page.ts";
import { parseManifestLine } from "./parse-manifest-line.ts";
import { readLines } from "./read-lines.ts";
import { sniffGzip, unpackGzip } from "./unpack-gzip.ts";

/** The longest line that is read, in bytes. */
const MAX_LINE_BYTES = 64 * 1024;

/** Where a manifest goes on: `line` of them have been read, up to `byte`, of the version that `etag` names. What is packed is read from its beginning. */
const Position = z.object({ line: z.int(), byte: z.int(), etag: z.string().optional(), packed: z.boolean() });
const START: z.infer<typeof Position> = { line: 0, byte: 0, packed: false };

/**
 * The items of a manifest, of which a page and a line are in memory. A bad line is an item that tells its fault. Throws
 * PermanentError when the manifest is not there, is replaced by another while it is read, or its gzip data is damaged.
 */
export async function* listManifest(
  { bucket, key, version_id }: S3Object,
  cursor: ScanCursor,
  buckets: SourceBuckets,
): AsyncGenerator<Page, void, undefined> {
  const start = cursor.position === "" ? START : Position.parse(JSON.parse(cursor.position));
  const { etag, stream } = await buckets.open(
    { bucket, key, version_id },
    { from: start.packed ? 0 : start.byte, etag: start.etag },
  );
  const [packed, bytes] = start.byte > 0 && !start.packed ? [false, stream] : await sniffGzip(stream);
  const lines = readLines(packed ? unpackGzip(bytes, `s3://${bucket}/${key}`) : bytes, MAX_LINE_BYTES);
  let line = packed ? 0 : start.line;
  let items: ListedItem[] = [];
  let byte = start.byte;
  const toPage = (): Page => ({ items, position: JSON.stringify({ line, byte, etag, packed }) });
  for await (const { bytes: text, end } of lines) {
    if (++line <= start.line) continue;
    byte = packed ? end : start.byte + end;
    const item = parseManifestLine(text, line);
    if (item === undefined) continue;
    items.push(item);
    if (items.length < PAGE_ITEMS) continue;
    yield toPage();
    items = [];
  }
  if (items.length > 0) yield toPage();
}
