import { checkKey } from "./check-key.ts";
import type { S3StorageOptions } from "./s3-storage.ts";
import type { Storage } from "./storage.ts";

/** What only concerns S3; see `S3StorageOptions`. */
export type OpenStorageOptions = Pick<S3StorageOptions, "forcePathStyle" | "requestHandler">;

const S3_URL = /^s3:\/\/(?<bucket>[a-zA-Z0-9][a-zA-Z0-9._-]{1,61}[a-zA-Z0-9])(?:\/(?<prefix>.*))?$/;

/** The path is taken as it is written, and may be relative to the working directory: `file:` URLs allow neither. */
const FILE_URL = /^file:(?:\/\/(?=\/))?(?!\/\/)(?<path>.+)$/;

/**
 * Opens the storage that a URL names: `s3://bucket`, `s3://bucket/prefix`, `file:./relative` or `file:///absolute`.
 * Nothing is contacted or made yet; `check` does. Throws a sentence for any other URL.
 */
export async function openStorage(url: string, options: OpenStorageOptions = {}): Promise<Storage> {
  const directory = FILE_URL.exec(url)?.groups?.["path"];
  if (directory !== undefined) {
    // Loaded only here, so that a runtime without files never meets node:fs.
    const { createDirectoryStorage } = await import("./directory-storage.ts");
    return createDirectoryStorage(directory);
  }
  const bucket = S3_URL.exec(url)?.groups;
  if (bucket?.["bucket"] === undefined) {
    throw new Error(
      `The storage URL "${url}" is not understood: write s3://bucket/prefix, file:./directory or file:///directory.`,
    );
  }
  const folder = (bucket["prefix"] ?? "").replace(/\/+$/, "");
  if (folder !== "") checkKey(folder);
  const { createS3Storage } = await import("./s3-storage.ts");
  return createS3Storage({ bucket: bucket["bucket"], prefix: folder === "" ? "" : `${folder}/`, ...options });
}
