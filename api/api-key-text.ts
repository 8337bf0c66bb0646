import { newId } from "../shared/new-id.ts";

/** Random bytes of a key's secret part: more than anybody can guess, so that one plain SHA-256 is enough to keep it by. */
const SECRET_BYTES = 32;

/** A new key, `tl_`, the part that names it and a random part, and the id under which it is kept. */
export function newApiKeyText(): { id: string; text: string } {
  const id = newId("key");
  const secret = [...crypto.getRandomValues(new Uint8Array(SECRET_BYTES))];
  const digits = secret.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { id, text: `tl_${id.slice("key_".length)}_${digits}` };
}

/** The id that a key names; undefined for what does not look like a key. */
export function apiKeyIdOf(text: string): string | undefined {
  const name = /^tl_([0-9a-z]{26})_[0-9a-f]{64}$/.exec(text)?.[1];
  return name === undefined ? undefined : `key_${name}`;
}
