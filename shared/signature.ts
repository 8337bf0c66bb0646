const PREFIX = "whsec_";
const SECRET_BYTES = 32;

const toBase64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
const fromBase64 = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** A new symmetric secret: `whsec_` and 32 random bytes in base 64 (Standard Webhooks 1.0 asks for 24 to 64). */
export const newWebhookSecret = (): string =>
  PREFIX + toBase64(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));

/** What a signature covers: the message, the time of the attempt and the very bytes that are sent. */
export interface SignedContent {
  messageId: string;
  /** Whole seconds since 1970. */
  timestamp: number;
  body: string;
}

/**
 * The `webhook-signature` of an attempt: `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base 64
 * (Standard Webhooks 1.0, "Signature scheme").
 * @param secret `whsec_…`
 */
export async function signWebhook(
  secret: string,
  { messageId, timestamp, body }: SignedContent,
): Promise<string> {
  const raw = fromBase64(secret.slice(PREFIX.length));
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signed = new TextEncoder().encode(`${messageId}.${timestamp}.${body}`);
  return `v1,${toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, signed)))}`;
}
