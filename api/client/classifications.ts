import type { z } from "zod";
import { Classification } from "../../shared/contracts/classification.ts";
import type { ClassificationOptions } from "../../shared/contracts/classification.ts";
import type { ImageInput } from "../../shared/contracts/image.ts";
import { creatingHeaders } from "./creating.ts";
import type { CreatingWork } from "./creating.ts";
import { listEach } from "./list-each.ts";
import { poll } from "./poll.ts";
import type { Waiting } from "./poll.ts";
import type { Call, Sending, Transport } from "./transport.ts";
import { watchEvents } from "./watch-events.ts";

/** How an image is labelled, as the contract spells it. */
export type LabelImage = z.input<typeof ClassificationOptions>;

/** Which classifications are wanted. */
export interface ClassificationFilter {
  status?: Classification["status"] | undefined;
  model?: string | undefined;
}

/** Single images. */
export interface Classifications {
  /**
   * Has an image labelled: an address, a data URL, an object in a bucket, or a Blob whose type is `image/…`.
   * Answers when it is accepted, or with `waitS` as soon as it is labelled, after so many seconds (60 at most) in any case.
   */
  create(
    image: ImageInput | Blob,
    options?: LabelImage,
    call?: CreatingWork & { waitS?: number | undefined },
  ): Promise<Classification>;
  get(id: string, call?: Call): Promise<Classification>;
  /** The newest first, without the items of batches, fetched page by page as they are taken: all, or of one status or model. */
  list(filter?: ClassificationFilter, call?: Call): AsyncGenerator<Classification, void, undefined>;
  /** Labels it no more, and tells how it ended. */
  cancel(id: string, call?: Call): Promise<Classification>;
  /** The classification once it has ended, however it has. */
  wait(id: string, waiting?: Waiting<Classification>): Promise<Classification>;
  /** The classification as it is now and at each change, until it has ended. */
  watch(id: string, call?: Call): AsyncGenerator<Classification, void, undefined>;
}

const PATH = "/v1/classifications";
const pathOf = (id: string, verb = "") => `${PATH}/${encodeURIComponent(id)}${verb}`;

const hasEnded = ({ completed_at }: Classification) => completed_at !== null;

/** The calls about single images. */
export function classifications(transport: Transport): Classifications {
  const look = (id: string, { signal }: Call) => transport.ask(Classification, { path: pathOf(id), signal });
  return {
    async create(image, options = {}, call = {}) {
      const { query, type, body } = await bodyOf(image, options);
      const headers = {
        ...creatingHeaders(call, transport),
        "content-type": type,
        ...(call.waitS !== undefined && { prefer: `wait=${call.waitS}` }),
      };
      const path = PATH + query;
      const { signal, waitS } = call;
      return (await transport.ask(Classification, { method: "POST", path, headers, body, signal, waitS }))
        .value;
    },
    get: async (id, call = {}) => (await look(id, call)).value,
    list: ({ status, model } = {}, call = {}) =>
      listEach(transport, Classification, `${PATH}?${queryOf({ status, model })}`, call),
    cancel: async (id, { signal } = {}) =>
      (await transport.ask(Classification, { method: "POST", path: pathOf(id, "/cancel"), signal })).value,
    wait: (id, waiting = {}) => poll(() => look(id, waiting), hasEnded, waiting),
    watch: (id, call = {}) =>
      watchEvents(transport, { path: pathOf(id, "/events"), reader: Classification, hasEnded }, call),
  };
}

/** What is defined of it, as a query. */
function queryOf(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) query.set(name, `${value}`);
  return query.toString();
}

interface ImageBody extends Required<Pick<Sending, "body">> {
  query: string;
  type: string;
}

/** A Blob is sent as it is, with its options in the query; JSON carries those that a query cannot have. */
async function bodyOf(image: ImageInput | Blob, options: LabelImage): Promise<ImageBody> {
  const { model, top_k, threshold, webhook, priority, ...others } = options;
  if (image instanceof Blob && Object.values(others).every((value) => value === undefined)) {
    const query = queryOf({ model, top_k, threshold, webhook, priority });
    return { query: `?${query}`, type: image.type, body: image };
  }
  const sent = image instanceof Blob ? { data: await toDataUrl(image) } : image;
  return { query: "", type: "application/json", body: JSON.stringify({ ...options, image: sent }) };
}

/** Bytes that are turned into text at once: a multiple of three, and fewer than a function takes arguments. */
const PIECE = 0x6000;

async function toDataUrl(image: Blob): Promise<string> {
  const bytes = new Uint8Array(await image.arrayBuffer());
  let base64 = "";
  for (let at = 0; at < bytes.length; at += PIECE)
    base64 += btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
  return `data:${image.type};base64,${base64}`;
}
