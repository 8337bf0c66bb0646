import type { Storage } from "../../../shared/storage/storage.ts";
import { describeListings } from "./contract/listings.ts";
import { describeObjectKeys } from "./contract/object-keys.ts";
import { describeObjects } from "./contract/objects.ts";
import { describeStreams } from "./contract/streams.ts";

/** What every kind of storage promises. `open` gives a storage that is empty at first and the same for all tests. */
export function describeStorage(open: () => Storage): void {
  describeObjects(open);
  describeStreams(open);
  describeObjectKeys(open);
  describeListings(open);
}
