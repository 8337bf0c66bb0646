import type { ForLabeler } from "../../shared/contracts/queue-payloads.ts";
import { ObjectRecord } from "../../shared/contracts/object-record.ts";
import { storageKeys } from "../../shared/keys.ts";
import { sha256Hex } from "../../shared/sha256-hex.ts";
import type { Storage } from "../../shared/storage/storage.ts";

/** The hash by which an object is known in keys, whatever its own key has in it. */
export const objectHash = ({ bucket, key }: { bucket: string; key: string }): Promise<string> =>
  sha256Hex(`${bucket}\n${key}`);

/** What a labeler knows of an object, or undefined when it never looked at it. */
export async function readObjectRecord(
  storage: Storage,
  labelerId: string,
  object: string,
): Promise<ObjectRecord | undefined> {
  const bytes = await storage.get(storageKeys.objectRecord(labelerId, object));
  return bytes && ObjectRecord.parse(JSON.parse(new TextDecoder().decode(bytes)));
}

/** Writes down what a labeler knows of an object from now on. */
export async function writeObjectRecord(
  storage: Storage,
  labelerId: string,
  object: string,
  record: ObjectRecord,
): Promise<void> {
  const key = storageKeys.objectRecord(labelerId, object);
  await storage.put(key, JSON.stringify(record), { contentType: "application/json" });
}

/** Whether a version of an object is to be labelled, by what is known of the object: nothing is known of one that never was. What failed has no labels. */
export function needsLabels(
  mode: ForLabeler["mode"],
  version: { etag: string; modelDigest: string },
  known: ObjectRecord | undefined,
): boolean {
  if (mode === "relabel") return known !== undefined && known.model_digest !== version.modelDigest;
  return known?.etag !== version.etag || known.predictions === null;
}
