import type { HonoRequest } from "hono";
import { sha256Hex } from "../shared/sha256-hex.ts";

/**
 * A hash over all that a request asks for: method, path and query, the kind of its body, its deadline, and each byte of the
 * body. Of a form the boundary does not count, which is another whenever the same form is sent.
 */
export async function requestFingerprint(req: HonoRequest): Promise<string> {
  const { pathname, search } = new URL(req.url);
  const [mediaType = "", ...parameters] = (req.header("content-type") ?? "").split(";");
  const boundary = /boundary="?([^";]+)/i.exec(parameters.join(";"))?.[1];
  const body = await req.arrayBuffer();
  const parts = [
    req.method,
    pathname + search,
    mediaType.trim().toLowerCase(),
    req.header("cancel-after") ?? "",
    await sha256Hex(boundary === undefined ? body : withoutBoundary(body, boundary)),
  ];
  return sha256Hex(JSON.stringify(parts));
}

/** Every byte as a character of its own, so that none is lost. */
const withoutBoundary = (form: ArrayBuffer, boundary: string) =>
  new TextDecoder("latin1").decode(form).replaceAll(`--${boundary}`, "--");
