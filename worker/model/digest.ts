import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";

/** The sha256 of bytes or text, as `sha256:` and 64 hex digits. */
export const sha256 = (data: Uint8Array | string): string =>
  `sha256:${createHash("sha256").update(data).digest("hex")}`;

/** The sha256 of a file, read a megabyte at a time. */
export function sha256File(path: string): string {
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(1 << 20);
  const file = openSync(path, "r");
  try {
    for (let count; (count = readSync(file, chunk)) > 0;) hash.update(chunk.subarray(0, count));
  } finally {
    closeSync(file);
  }
  return `sha256:${hash.digest("hex")}`;
}
