/** Where a repository's files are, a bucket's prefix or a directory: what a repository needs of the service's storage. Keys are separated by slashes. */
export interface ModelStore {
  /** Writes an object, whole or not at all. */
  put(key: string, body: Uint8Array | string, options: { contentType: string }): Promise<void>;
  /** Reads an object, or undefined when there is none; throws when the store cannot be asked. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Reads an object piece by piece, or undefined when there is none; throws when the store cannot be asked. */
  getStream(key: string): Promise<ReadableStream<Uint8Array> | undefined>;
}
