import type { Answered } from "./chaos-client.ts";
import type { Ledger } from "./ledger.ts";
import type { Delivery } from "./outside.ts";
import type { TestBucket } from "./test-bucket.ts";
import type { Promised, Violation } from "./violation.ts";

/** What the checker looks at when everything is at rest. */
export interface Checking {
  ledger: Ledger;
  bucket: TestBucket;
  deliveries: readonly Delivery[];
  /** Those of them that were to come. */
  accounted: Set<Delivery>;
  /** Asks an API. */
  get: (path: string) => Promise<Answered>;
  /** Whether S3 was ever away, so that what needs it may have failed. */
  wasS3Away: boolean;
  violations: Violation[];
  /** What was found and is right, counted by what it is. */
  counts: Record<string, number>;
}

/** Notes a broken promise. */
export function violate({ violations }: Checking, promise: Promised, id: string, detail: string): void {
  violations.push({ promise, id, detail });
}

/** Counts something that is as it ought to be. */
export function count({ counts }: Checking, what: string, by = 1): void {
  counts[what] = (counts[what] ?? 0) + by;
}
