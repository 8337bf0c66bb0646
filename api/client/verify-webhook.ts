import { WebhookEvent } from "../../shared/contracts/webhook-event.ts";
import { signWebhook } from "../../shared/signature.ts";
import { TreslineError } from "./tresline-error.ts";

/** How far the time of an attempt may be from now, in seconds. */
const TOLERANCE_S = 300;

const SYMMETRIC = "whsec_";
const PUBLIC = "whpk_";

/** The headers of a request as a server has them: web `Headers`, or Node's object with names in lower case. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The event of a webhook message (Standard Webhooks 1.0), once it is certain who sent it and that it is not an old one sent again.
 * Its `type` tells what its `data` is: the resource, or of one that is too large for a message its id, object, status and urls.
 * Throws TreslineError `invalid_webhook`, which says what is wrong, for any other request: answer it with 400.
 * @param rawBody the very bytes that came, or their text; JSON that was parsed and written again does not do
 * @param secrets `whsec_…` or a public key `whpk_…`; several while one replaces another
 */
export async function verifyWebhook(
  rawBody: string | Uint8Array | ArrayBuffer,
  headers: WebhookHeaders,
  secrets: string | readonly string[],
): Promise<WebhookEvent> {
  const [messageId, time, signatures] = ["id", "timestamp", "signature"].map((name) =>
    headerOf(headers, `webhook-${name}`),
  ) as [string, string, string];
  const timestamp = /^\d{1,15}$/.test(time) ? Number(time) : NaN;
  if (Number.isNaN(timestamp)) throw invalid(`webhook-timestamp is "${time}", not seconds since 1970.`);
  const ageS = Math.floor(Date.now() / 1_000) - timestamp;
  if (Math.abs(ageS) > TOLERANCE_S)
    throw invalid(
      `The message is ${Math.abs(ageS)} s ${ageS > 0 ? "old" : "ahead"}, which is more than ${TOLERANCE_S} s: is it sent again by somebody, or a clock wrong?`,
    );
  const content = { messageId, timestamp, body: textOf(rawBody) };
  const given = signatures.split(" ");
  const known = [secrets].flat();
  if (known.length === 0) throw invalid("There is no secret to verify with.");
  for (const secret of known) if (await isSignedWith(secret, content, given)) return readEvent(content.body);
  throw invalid("No signature of the message is by this secret and of these very bytes.");
}

type Content = Parameters<typeof signWebhook>[1];

/** Whether one of the signatures is by this secret. */
async function isSignedWith(secret: string, content: Content, given: readonly string[]): Promise<boolean> {
  if (secret.startsWith(SYMMETRIC)) {
    keyOf(secret, SYMMETRIC);
    const expected = await signWebhook(secret, content);
    return given.filter((signature) => isEqual(signature, expected)).length > 0;
  }
  if (!secret.startsWith(PUBLIC)) throw invalid("A secret begins with whsec_, a public key with whpk_.");
  const key = await crypto.subtle.importKey("raw", keyOf(secret, PUBLIC), "Ed25519", false, ["verify"]);
  const signed = new TextEncoder().encode(`${content.messageId}.${content.timestamp}.${content.body}`);
  for (const signature of given) {
    const bytes = signature.startsWith("v1a,") ? fromBase64(signature.slice(4)) : undefined;
    if (bytes && (await crypto.subtle.verify("Ed25519", key, bytes, signed))) return true;
  }
  return false;
}

/** Whether two texts are the same, in a time that does not tell how much of them is. */
function isEqual(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < b.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}

function keyOf(secret: string, prefix: string): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64(secret.slice(prefix.length));
  const isWhole = bytes !== undefined && (prefix === PUBLIC ? bytes.length === 32 : bytes.length > 0);
  if (!isWhole) throw invalid(`What comes after ${prefix} is no key in base 64: was all of it copied?`);
  return bytes;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function headerOf(headers: WebhookHeaders, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : headers[name];
  if (typeof value !== "string" || value === "") throw invalid(`The request has no header ${name}.`);
  return value;
}

function textOf(rawBody: unknown): string {
  if (typeof rawBody === "string") return rawBody;
  if (!(rawBody instanceof Uint8Array) && !(rawBody instanceof ArrayBuffer))
    throw invalid("The body must be the text or the bytes that came, not what a parser made of them.");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(rawBody);
  } catch {
    throw invalid("The body is not UTF-8.");
  }
}

function readEvent(body: string): WebhookEvent {
  try {
    return WebhookEvent.parse(JSON.parse(body));
  } catch (cause) {
    throw invalid("The message is signed, and not an event of a Tresline of this version.", cause);
  }
}

const invalid = (detail: string, cause?: unknown) =>
  new TreslineError({ code: "invalid_webhook", detail }, { cause });
