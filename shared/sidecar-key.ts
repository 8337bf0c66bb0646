import { sha256Hex } from "./sha256-hex.ts";

/** The longest key in bytes of UTF-8: S3's own limit. */
const MAX_KEY_BYTES = 1024;

/** The key of an object's sidecar, in the same bucket: its own with an ending, or, where that would be too long, a file at the bucket's root named by the SHA-256 of the object's key. `isOwnKey` knows both. */
export async function sidecarKey(key: string): Promise<string> {
  const beside = `${key}.tresline.json`;
  if (new TextEncoder().encode(beside).length <= MAX_KEY_BYTES) return beside;
  return `.tresline/${await sha256Hex(key)}.json`;
}
