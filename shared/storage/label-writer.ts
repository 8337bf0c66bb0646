/** A tag of an object. */
export interface ObjectTag {
  key: string;
  value: string;
}

/** An object whose labels are written back. */
export interface LabelledObject {
  bucket: string;
  key: string;
}

/**
 * Writes labels into the buckets of somebody else: the tags of an object, or a file beside it, and nothing else. Every
 * method throws PermanentError `fetch_forbidden` with the permission that is missing, ObjectGoneError when the object
 * is no longer there, and anything else when trying again may help.
 */
export interface LabelWriter {
  /** All tags of an object, those of others among them. */
  getTags(object: LabelledObject): Promise<ObjectTag[]>;

  /** Replaces all tags of an object: whoever changes them between a `getTags` and this loses what they changed, for S3 has no condition for it. */
  putTags(object: LabelledObject, tags: readonly ObjectTag[]): Promise<void>;

  /** The bytes of the file beside an object when they are at most `maxBytes`, else undefined. */
  getSidecar(object: LabelledObject, limit: { maxBytes: number }): Promise<Uint8Array | undefined>;

  /** Writes the file beside an object, of JSON. */
  putSidecar(object: LabelledObject, json: string): Promise<void>;

  /** Lets go of connections. */
  close(): Promise<void>;
}
