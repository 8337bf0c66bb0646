import { expect } from "vitest";
import { checkResponse } from "../../api/support/check-response.ts";
import { API_KEY } from "./services.ts";
import type { Services } from "./services.ts";

/** A request as a client makes it; `authorization` is the service's key unless it says otherwise, and `body` may be anything for JSON. */
export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  authorization?: string | undefined;
  body?: unknown;
}

/** An answer that has been read and held to the OpenAPI document. */
export interface Answered {
  status: number;
  headers: Headers;
  text: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** The body as JSON. */
  json: Record<string, unknown>;
}

/** A client of one runtime. */
export interface Client extends Services {
  url: string;
  ask: (path: string, asked?: Asked) => Promise<Answered>;
  /** Asks for something over and over until it has ended, half a minute at most. */
  untilEnded: (path: string) => Promise<Record<string, unknown>>;
}

/** Sends one request; what breaks a runtime on purpose takes its place. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

/** Opens one. */
export function openClient(services: Services, url: string, send: Send = fetch): Client {
  const ask = async (path: string, asked: Asked = {}): Promise<Answered> => {
    const { headers = {}, body } = asked;
    const method = asked.method ?? (body === undefined ? "GET" : "POST");
    const authorization = "authorization" in asked ? asked.authorization : `Bearer ${API_KEY}`;
    const isRaw = body instanceof Uint8Array || body instanceof FormData || typeof body === "string";
    const response = await send(url + path, {
      method,
      headers: {
        ...(authorization !== undefined && { authorization }),
        ...(!isRaw && body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && {
        body: isRaw ? (body as NonNullable<RequestInit["body"]>) : JSON.stringify(body),
      }),
    });
    const bytes = new Uint8Array(await response.clone().arrayBuffer());
    await checkResponse(services.described, method, path, response);
    const { status, headers: answered } = response;
    const text = new TextDecoder().decode(bytes);
    const json = (
      /^application\/(problem\+)?json/.test(answered.get("content-type") ?? "") ? JSON.parse(text) : {}
    ) as Answered["json"];
    return { status, headers: answered, text, bytes, json };
  };
  return {
    ...services,
    url,
    ask,
    async untilEnded(path) {
      const get = async () => (await ask(path)).json;
      const ended = async () =>
        /^(succeeded|failed|completed|canceled)$/.test(String((await get())["status"]));
      await expect.poll(ended, { timeout: 30_000, interval: 100 }).toBe(true);
      return get();
    },
  };
}
