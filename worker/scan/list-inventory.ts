import { z } from "zod";
import { ObjectKey } from "../../shared/contracts/image.ts";
import type { BatchSource, ListedItem } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../shared/errors.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import type { SourceBuckets } from "../../shared/storage/source-buckets.ts";
import { isWanted } from "./is-wanted.ts";
import type { Page } from "./page.ts";
import { parseCsvLine } from "./parse-csv-line.ts";
import { readInventoryManifest } from "./read-inventory-manifest.ts";
import type { InventoryFiles } from "./read-inventory-manifest.ts";
import { readLines } from "./read-lines.ts";
import { unpackGzip } from "./unpack-gzip.ts";

type Inventory = BatchSource & { type: "inventory" };

/** The longest line that is read, in bytes: a key of 1024 bytes has 3072 when all of it is encoded. */
const MAX_LINE_BYTES = 64 * 1024;

/** Where an inventory goes on: of `file`, counted from 0, `line` lines have been read. The ETags name the versions of the manifest and of that file. */
const Position = z.object({
  manifest: z.string(),
  file: z.int(),
  line: z.int(),
  etag: z.string().optional(),
});

/**
 * The objects that an S3 Inventory report in CSV lists, each named by its key: those that are the latest of their key, up
 * to `pageItems` and a line of which are in memory. A bad line is an item that tells its fault. Throws PermanentError when
 * a file is not there or damaged, is replaced by another while it is read, or its bucket may not be read.
 */
export async function* listInventory(
  source: Inventory,
  cursor: ScanCursor,
  pageItems: number,
  buckets: SourceBuckets,
): AsyncGenerator<Page, void, undefined> {
  const { bucket, key, version_id } = source;
  const start = cursor.position === "" ? undefined : Position.parse(JSON.parse(cursor.position));
  const inventory = await readInventoryManifest({ bucket, key, version_id }, start?.manifest, buckets);
  checkBuckets(source, inventory, buckets);
  const at = (file: number, line: number, etag?: string) =>
    JSON.stringify({ manifest: inventory.etag, file, line, etag } satisfies z.infer<typeof Position>);
  let items: ListedItem[] = [];
  for (const [file, dataKey] of inventory.files.entries()) {
    if (file < (start?.file ?? 0)) continue;
    const before = file === start?.file ? start : undefined;
    const { etag, stream } = await buckets.open({ bucket, key: dataKey }, { from: 0, etag: before?.etag });
    const lines = readLines(unpackGzip(stream, `s3://${bucket}/${dataKey}`), MAX_LINE_BYTES);
    let line = 0;
    for await (const { bytes } of lines) {
      if (++line <= (before?.line ?? 0)) continue;
      const item = parseLine(bytes, `file ${file + 1}, line ${line}`, inventory, source);
      if (item === undefined) continue;
      items.push(item);
      if (items.length < pageItems) continue;
      yield { items, position: at(file, line, etag) };
      items = [];
    }
  }
  if (items.length > 0) yield { items, position: at(inventory.files.length, 0) };
}

function checkBuckets(
  { of_bucket, key }: Inventory,
  { sourceBucket }: InventoryFiles,
  buckets: SourceBuckets,
): void {
  if (of_bucket !== undefined && of_bucket !== sourceBucket)
    throw new PermanentError(
      "invalid_request",
      `The inventory ${key} is of the bucket "${sourceBucket}", and objects of "${of_bucket}" are asked for.`,
    );
  buckets.mustAllow(sourceBucket);
}

/** The object of a line, undefined when it is none that is asked for. `where` is what a fault calls the line. */
function parseLine(
  bytes: Buffer | undefined,
  where: string,
  { sourceBucket, width, column }: InventoryFiles,
  source: Inventory,
): ListedItem | undefined {
  const fault = (reason: string) => ({
    custom_id: where,
    fault: `The inventory's ${where} ${reason}.`,
  });
  if (bytes === undefined) return fault("is too long");
  const fields = parseCsvLine(bytes.toString("utf8").replace(/\r$/, ""));
  if (fields?.length !== width) return fault(`is not CSV of the ${width} columns that the manifest names`);
  const field = (name: keyof typeof column) => {
    const index = column[name];
    return index === undefined ? undefined : fields[index];
  };
  if (field("IsLatest") === "false" || field("IsDeleteMarker") === "true") return undefined;
  const { data: key } = ObjectKey.safeParse(decodeKey(field("Key") ?? ""));
  if (key === undefined) return fault("has a key that is not URL-encoded UTF-8");
  const size = field("Size");
  if (!isWanted({ key, size: size ? Number(size) : undefined }, source)) return undefined;
  const etag = field("ETag");
  return {
    custom_id: key,
    image: { type: "s3", bucket: sourceBucket, key, ...(etag && { etag: quoted(etag) }) },
  };
}

/** AWS encodes keys in CSV as HTML forms do: a plus is a space. Undefined when it is not encoded so. */
function decodeKey(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** As S3 writes it elsewhere: an inventory leaves the quotes out. */
const quoted = (etag: string) => (etag.startsWith('"') ? etag : `"${etag}"`);
