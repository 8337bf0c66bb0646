import { decodeTime, encodeTime, ulid } from "ulid";
import type { IdPrefix } from "./contracts/ids.ts";

const ULID_LENGTH = 26;
const ULID_TIME_LENGTH = 10;
const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";
const INDEX_DIGITS = 6;

/** A new lower-case ULID, which sorts by the time it was made (https://github.com/ulid/spec): what comes after the prefix of an id. */
export function newUlid(): string {
  // The package's own source of randomness asks the system for each of the 16 characters: measured, 50 µs an id instead of 5.
  const bytes = crypto.getRandomValues(new Uint8Array(16)).values();
  return ulid(undefined, () => (bytes.next().value ?? 0) / 256).toLowerCase();
}

/** A new id. */
export const newId = (prefix: IdPrefix): string => `${prefix}_${newUlid()}`;

/** What comes, as text, before every id of this kind that was made at this time or later, and after every older one. */
export const firstIdAt = (prefix: IdPrefix, time: Date): string =>
  `${prefix}_${encodeTime(time.getTime(), ULID_TIME_LENGTH).toLowerCase()}`;

/** When an id was made, from its first ten characters after the prefix. */
export const timeOfId = (id: string): Date => new Date(decodeTime(ulidOf(id).toUpperCase()));

/** The id of a batch's item: the batch's own random part and the item's position, so that it is the same whenever it is derived. */
export const batchItemId = (batchId: string, index: number): string =>
  `${batchItemPrefix(batchId)}${index.toString(36).padStart(INDEX_DIGITS, "0")}`;

/** What the ids of all items of a batch begin with, and no other id. */
export const batchItemPrefix = (batchId: string): string => `cls_${ulidOf(batchId)}`;

/** The batch and position that `batchItemId` made an id from, or undefined for the id of a classification that stands alone. */
export function batchItemOf(id: string): { batchId: string; index: number } | undefined {
  const digits = id.slice("cls_".length + ULID_LENGTH);
  return digits === "" ? undefined : { batchId: `bat_${ulidOf(id)}`, index: Number.parseInt(digits, 36) };
}

/**
 * The id of the classification that a labeler makes of an object, derived from the event that told of it: from its time,
 * to the second, and SHA-256 over the labeler and all that names the object's version, its first 80 bits in base 32.
 */
export async function labelledObjectId(
  labelerId: string,
  version: readonly string[],
  time: Date,
): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([labelerId, ...version]));
  const digest = new DataView(await crypto.subtle.digest("SHA-256", bytes));
  const number = (digest.getBigUint64(0) << 16n) | BigInt(digest.getUint16(8));
  const digits = number.toString(32).padStart(ULID_LENGTH - ULID_TIME_LENGTH, "0");
  const random = digits.replaceAll(/./g, (digit) => CROCKFORD.charAt(Number.parseInt(digit, 32)));
  const seconds = Math.max(0, Math.floor(time.getTime() / 1000));
  return `cls_${encodeTime(seconds * 1000, ULID_TIME_LENGTH).toLowerCase()}${random}`;
}

/**
 * The id of the message that tells one endpoint of one event, derived so that a worker that is killed and starts over
 * tells it again under the same id. SHA-256 over the three, its first 128 bits in base 32.
 */
export async function messageId(subjectId: string, eventType: string, endpoint: string): Promise<string> {
  const bytes = new TextEncoder().encode(`${subjectId}\n${eventType}\n${endpoint}`);
  const digest = new DataView(await crypto.subtle.digest("SHA-256", bytes));
  const number = (digest.getBigUint64(0) << 64n) | digest.getBigUint64(8);
  return `msg_${number.toString(32).padStart(ULID_LENGTH, "0")}`;
}

const ulidOf = (id: string) => id.slice(id.indexOf("_") + 1).slice(0, ULID_LENGTH);
