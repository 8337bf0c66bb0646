import { z } from "zod";
import { CustomId } from "../../shared/contracts/batch.ts";
import { ImageInput, S3Object } from "../../shared/contracts/image.ts";
import type { ImagePointer } from "../../shared/contracts/image.ts";
import type { ListedItem } from "../../shared/contracts/queue-payloads.ts";
import { parseCsvLine } from "./parse-csv-line.ts";

const S3_URL = /^s3:\/\/(?<bucket>[^/]+)\/(?<key>.+)$/s;
const CSV_HEADER = /^bucket,key(,|$)/i;

/** The line is not what a manifest has; the message goes on after "Line N of the manifest". */
class LineError extends Error {}

const Named = z.object({ custom_id: CustomId, image: ImageInput });

/**
 * The item of a manifest's line, undefined for a line that is blank or the header of CSV. `{"custom_id", "image"}`,
 * Rekognition's `{"source-ref": "s3://bucket/key"}`, or CSV: bucket, key as it is, and perhaps a version. `bytes` is
 * undefined when there are too many; `line` counts from 1.
 */
export function parseManifestLine(bytes: Uint8Array | undefined, line: number): ListedItem | undefined {
  try {
    const text = decode(bytes).replace(/\r$/, "");
    if (text.trim() === "" || (line === 1 && CSV_HEADER.test(text))) return undefined;
    return text.trimStart().startsWith("{") ? parseJson(text) : named(parseCsv(text));
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    return { custom_id: `line ${line}`, fault: `Line ${line} of the manifest ${error.message}.` };
  }
}

function decode(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) throw new LineError("is too long");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new LineError("is not UTF-8");
  }
}

function parseJson(text: string): ListedItem {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new LineError("is not valid JSON");
  }
  const reference = z.object({ "source-ref": z.string() }).safeParse(value);
  if (reference.success) {
    const { bucket, key } = S3_URL.exec(reference.data["source-ref"])?.groups ?? {};
    return named(parseObject({ bucket, key }, "a source-ref such as s3://bucket/key"));
  }
  const { data, error } = Named.safeParse(value);
  const [issue] = error?.issues ?? [];
  if (data === undefined)
    throw new LineError(`is not understood: ${issue?.path.join(".")}: ${issue?.message}`);
  const { custom_id, image } = data;
  if ("upload_id" in image) throw new LineError("names an upload, where a manifest takes url or s3");
  if ("data" in image) throw new LineError("has the image itself, where a manifest takes url or s3");
  const pointer: ImagePointer = "s3" in image ? { type: "s3", ...image.s3 } : { type: "url", url: image.url };
  return { custom_id, image: pointer };
}

function parseCsv(text: string): S3Object {
  const fields = parseCsvLine(text);
  if (fields === undefined) throw new LineError("is neither JSON nor CSV");
  const [bucket, key, version_id, ...more] = fields;
  if (more.length > 0)
    throw new LineError("has more than bucket, key and version: quote a key that has a comma");
  return parseObject({ bucket, key, ...(version_id && { version_id }) }, "bucket,key");
}

function parseObject(value: object, expected: string): S3Object {
  const { data, error } = S3Object.safeParse(value);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  throw new LineError(`is not ${expected}: ${issue?.path.join(".")}: ${issue?.message}`);
}

const named = (object: S3Object): ListedItem => ({
  custom_id: `s3://${object.bucket}/${object.key}`,
  image: { type: "s3", ...object },
});
