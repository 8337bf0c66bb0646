/** Where a repository's files are: a bucket's prefix or a directory. The service's own storage is one; keys are separated by slashes. */
export interface ModelStore {
  /** Writes an object, whole or not at all. */
  put(key: string, body: Uint8Array | string, options: { contentType: string }): Promise<void>;
  /** Reads an object, or undefined when there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Reads an object piece by piece, or undefined when there is none. */
  getStream(key: string): Promise<ReadableStream<Uint8Array> | undefined>;
}
