import { Batch, BatchResult } from "../../shared/contracts/batch.ts";
import type { CreateBatch } from "../../shared/contracts/batch.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import { Problem } from "../../shared/contracts/error.ts";

/** Milliseconds beyond the wait that an answer may take before it counts as lost. */
const GRACE_MS = 15_000;

/** An image file and its media type. */
export interface ImageFile {
  bytes: Buffer<ArrayBuffer>;
  mediaType: string;
}

/** A running service, as its client sees it. Each method throws ServiceError. */
export interface Service {
  /** Labels an image and waits for it, at most `waitS` seconds. */
  classify(image: ImageFile, waitS: number): Promise<Classification>;
  createBatch(items: CreateBatch["items"]): Promise<Batch>;
  getBatch(id: string): Promise<Batch>;
  /** The results of a completed batch. */
  getResults(id: string): Promise<BatchResult[]>;
}

/** The service refused, or could not be asked. `code` is the problem's, or `connection` or `timeout`. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A client of the service at `url` with an API key. */
export function openService(url: string, key: string): Service {
  const base = url.replace(/\/+$/, "");
  const ask = async (path: string, init: RequestInit = {}, waitS = 0): Promise<string> => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${key}`);
    const signal = AbortSignal.timeout(waitS * 1000 + GRACE_MS);
    try {
      const response = await fetch(base + path, { ...init, headers, signal });
      const text = await response.text();
      if (response.ok) return text;
      const said = Problem.safeParse(readJson(text));
      throw said.success
        ? new ServiceError(said.data.code, said.data.detail)
        : new ServiceError(`http_${response.status}`, `${base}${path} answered ${response.status}.`);
    } catch (error) {
      throw toServiceError(error, base);
    }
  };
  const read = <Value>(schema: { parse: (value: unknown) => Value }, text: string): Value => {
    try {
      return schema.parse(JSON.parse(text));
    } catch (cause) {
      throw new ServiceError("unknown_answer", `${base} does not answer as Tresline does.`, { cause });
    }
  };
  return {
    async classify({ bytes, mediaType }, waitS) {
      const headers = { "content-type": mediaType, prefer: `wait=${waitS}` };
      return read(
        Classification,
        await ask("/v1/classifications", { method: "POST", headers, body: bytes }, waitS),
      );
    },
    async createBatch(items) {
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify({ items });
      return read(Batch, await ask("/v1/batches", { method: "POST", headers, body }));
    },
    getBatch: async (id) => read(Batch, await ask(`/v1/batches/${id}`)),
    async getResults(id) {
      const lines = (await ask(`/v1/batches/${id}/results`)).trimEnd().split("\n");
      return lines.map((line) => read(BatchResult, line));
    },
  };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toServiceError(error: unknown, base: string): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof DOMException && error.name === "TimeoutError")
    return new ServiceError("timeout", `${base} did not answer in time.`, { cause: error });
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  return new ServiceError("connection", `${base} cannot be reached: ${reason}.`, { cause: error });
}
