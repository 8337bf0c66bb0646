import type { LabelWriter, ObjectTag } from "../../shared/storage/label-writer.ts";
import { ObjectChangedError, ObjectGoneError } from "../../shared/storage/source-buckets.ts";
import type { SourceBuckets } from "../../shared/storage/source-buckets.ts";

/** A bucket in memory, behind the two interfaces of ours that a worker sees buckets by. */
export interface FakeBucket {
  buckets: SourceBuckets;
  labelWriter: LabelWriter;
  /** Puts another version of an object there, which has no tags, and returns its ETag. */
  put: (key: string, body: Uint8Array) => string;
  remove: (key: string) => void;
  tagsOf: (key: string) => ObjectTag[];
  sidecarOf: (key: string) => unknown;
  /** What was written so far: `tags KEY` or `sidecar KEY`. */
  written: string[];
}

/** Makes an empty one. */
export function fakeBucket(): FakeBucket {
  const objects = new Map<string, { etag: string; body: Uint8Array; tags: readonly ObjectTag[] }>();
  const sidecars = new Map<string, string>();
  const written: string[] = [];
  let versions = 0;
  const at = (key: string) => {
    const object = objects.get(key);
    if (object === undefined) throw new ObjectGoneError("fetch_failed", `${key} is not there.`);
    return object;
  };
  return {
    buckets: {
      mustAllow: () => {},
      async read({ key, etag }) {
        const object = at(key);
        if (etag !== undefined && etag !== object.etag)
          throw new ObjectChangedError("fetch_failed", `${key} was replaced.`);
        return object.body;
      },
      etagOf: async ({ key }) => at(key).etag,
      open: () => Promise.reject(new Error("not used")),
      list: () => Promise.reject(new Error("not used")),
      close: async () => {},
    },
    labelWriter: {
      getTags: async ({ key }) => [...at(key).tags],
      async putTags({ key }, tags) {
        at(key).tags = tags;
        written.push(`tags ${key}`);
      },
      async getSidecar({ key }) {
        const json = sidecars.get(key);
        return json === undefined ? undefined : new TextEncoder().encode(json);
      },
      async putSidecar({ key }, json) {
        sidecars.set(key, json);
        written.push(`sidecar ${key}`);
      },
      close: async () => {},
    },
    put(key, body) {
      const etag = `"${++versions}"`;
      objects.set(key, { etag, body, tags: [] });
      return etag;
    },
    remove: (key) => void objects.delete(key),
    tagsOf: (key) => [...at(key).tags],
    sidecarOf: (key) => JSON.parse(sidecars.get(key) ?? "null"),
    written,
  };
}
