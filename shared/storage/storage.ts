/** What is said about an object when it is written; `contentType` is what S3 serves it as, such as `application/json`. */
export interface PutOptions {
  contentType: string;
}

/** What an address to write to is signed for: the type, the size in bytes, and for how many seconds. */
export interface PutSigning {
  contentType: string;
  bytes: number;
  seconds: number;
}

/** One line of a listing; `size` is in bytes. */
export interface StoredObject {
  key: string;
  size: number;
  modifiedAt: Date;
}

/**
 * Where finished things are kept: a bucket or a directory, under keys such as `results/acme/2026/11/22/cls_1.json`.
 *
 * Every method throws when the store cannot be asked (unreachable, refused, too slow): absence is always an answer and
 * never an error, so whatever is thrown may be tried again. Every method but `close` also throws for a key that
 * `checkKey` refuses. An object is whole or absent: nobody ever reads half of one.
 */
export interface Storage {
  /** Writes an object, replacing what was there. It is durable when this returns. A string is written as UTF-8. */
  put(key: string, body: Uint8Array | string, options: PutOptions): Promise<void>;

  /**
   * Writes an object as its bytes come, of any size and with a bounded part of it in memory, replacing what was there.
   * When the bytes end in an error it throws that, and what was there stays.
   */
  putStream(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<void>;

  /**
   * Writes an object unless the key is taken; true when this call wrote it. Of any number of calls at once, exactly one
   * is told true. False may also mean that an earlier try of this very call arrived and only its answer was lost.
   */
  putIfAbsent(key: string, body: Uint8Array | string, options: PutOptions): Promise<boolean>;

  /** Reads an object, or undefined. Throws `ObjectTooLargeError` when it has more than `maxBytes` bytes, unread. */
  get(key: string, limit?: { maxBytes: number }): Promise<Uint8Array | undefined>;

  /** How many bytes an object has, or undefined. */
  size(key: string): Promise<number | undefined>;

  /** An address where whoever has it can write this very object; undefined where only those can who have the storage. */
  signPut(key: string, signing: PutSigning): Promise<string | undefined>;

  /** Reads an object piece by piece, from byte `from` on (0 when absent; nothing when it has no more), or undefined. Read the stream to its end or cancel it: it holds a connection or a file. */
  getStream(key: string, from?: number): Promise<ReadableStream<Uint8Array> | undefined>;

  /** Every object whose key begins with `prefix` (any text, `""` for all), in no promised order, a page in memory at a time. */
  list(prefix: string): AsyncGenerator<StoredObject, void, undefined>;

  /** The folders right below `prefix`, which ends in `/` or is empty: what keys have up to their next `/`, each once, in no promised order. */
  folders(prefix: string): AsyncGenerator<string, void, undefined>;

  /** Removes an object; nothing happens when it is absent. */
  delete(key: string): Promise<void>;

  /** Throws unless the store can be reached and written. It may leave one tiny object, `health-check`, behind. */
  check(): Promise<void>;

  /** Lets go of connections. Nothing may be called afterwards. */
  close(): Promise<void>;
}

/** The object is larger than the caller wants to hold; trying again cannot help. */
export class ObjectTooLargeError extends Error {
  override readonly name = "ObjectTooLargeError";

  constructor(key: string, maxBytes: number) {
    super(`The object "${key}" has more than ${maxBytes} bytes.`);
  }
}
