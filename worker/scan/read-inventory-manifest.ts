import { z } from "zod";
import { BucketName, ObjectKey } from "../../shared/contracts/image.ts";
import type { S3Object } from "../../shared/contracts/image.ts";
import { PermanentError } from "../../shared/errors.ts";
import type { SourceBuckets } from "../../shared/storage/source-buckets.ts";

/** The largest manifest that is read, in bytes: some 100 000 files, each of which lists up to millions of objects. */
const MAX_BYTES = 16 * 1024 * 1024;

/** What is read of `manifest.json` (https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html). */
const InventoryManifest = z.object({
  sourceBucket: BucketName,
  fileFormat: z.string(),
  fileSchema: z.string(),
  files: z.array(z.object({ key: ObjectKey })),
});

/** The fields of a line that are read, in AWS's words. */
const FIELDS = ["Key", "Size", "ETag", "IsLatest", "IsDeleteMarker"] as const;

/** What an inventory is of and where its lines are; `etag` names this very version of its manifest. */
export interface InventoryFiles {
  sourceBucket: string;
  /** How many fields a line has. */
  width: number;
  /** Where a field is in a line, counted from 0; absent when the inventory was configured without it. */
  column: Partial<Record<(typeof FIELDS)[number], number>>;
  /** The keys of its files, in the bucket of the manifest. */
  files: string[];
  etag: string;
}

/** Reads the manifest of an S3 Inventory, with `etag` that very version. Throws PermanentError when it is not one of an inventory in CSV whose lines can be understood. */
export async function readInventoryManifest(
  object: S3Object,
  etag: string | undefined,
  buckets: SourceBuckets,
): Promise<InventoryFiles> {
  const name = `s3://${object.bucket}/${object.key}`;
  const opened = await buckets.open(object, { from: 0, etag });
  const { sourceBucket, fileFormat, fileSchema, files } = parse(await textOf(opened.stream, name), name);
  if (fileFormat.toUpperCase() !== "CSV")
    throw unusable(`The inventory ${name} is in ${fileFormat}: configure CSV as its output format.`);
  const names = fileSchema.split(",").map((field) => field.trim());
  const column = Object.fromEntries(
    FIELDS.filter((field) => names.includes(field)).map((field) => [field, names.indexOf(field)]),
  ) satisfies InventoryFiles["column"];
  if (!names.includes("Key"))
    throw unusable(`The inventory ${name} has no column Key; its fileSchema is "${fileSchema}".`);
  if (names.includes("VersionId") && !names.includes("IsLatest"))
    throw unusable(`The inventory ${name} lists all versions without a column IsLatest to tell the present.`);
  return {
    sourceBucket,
    width: names.length,
    column,
    files: files.map(({ key }) => key),
    etag: opened.etag,
  };
}

async function textOf(stream: AsyncIterable<Uint8Array>, name: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of stream) {
    size += piece.byteLength;
    if (size > MAX_BYTES)
      throw unusable(
        `${name} has more than ${MAX_BYTES} bytes: it is not the manifest.json of an inventory.`,
      );
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function parse(text: string, name: string): z.infer<typeof InventoryManifest> {
  const notOne = (reason: string) =>
    unusable(`${name} is not the manifest.json of an S3 Inventory report: ${reason}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notOne("it is not valid JSON");
  }
  const { data, error } = InventoryManifest.safeParse(value);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  throw notOne(`${issue?.path.join(".")}: ${issue?.message}`);
}

const unusable = (message: string) => new PermanentError("unsupported_media_type", message);
