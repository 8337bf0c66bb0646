import type { WebhookSigning } from "./contracts/webhook.ts";

const HMAC_PREFIX = "whsec_";
const PRIVATE_PREFIX = "whsk_";
const PUBLIC_PREFIX = "whpk_";
const HMAC_BYTES = 32;
const SEED_BYTES = 32;

const toBase64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
const fromBase64 = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const toBase64Url = (bytes: Uint8Array) =>
  toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** A new symmetric secret: `whsec_` and 32 random bytes in base 64 (Standard Webhooks 1.0 asks for 24 to 64). */
export const newWebhookSecret = (): string =>
  HMAC_PREFIX + toBase64(crypto.getRandomValues(new Uint8Array(HMAC_BYTES)));

/** A new secret to sign with: `whsec_…`, or `whsk_` and the seed and the public key of an Ed25519 pair, 64 bytes in base 64. */
export async function newSigningSecret(signing: WebhookSigning): Promise<string> {
  if (signing === "hmac") return newWebhookSecret();
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new Error("Ed25519 has no pair of keys here. This is a bug.");
  // PKCS #8 of an Ed25519 key ends with its seed (RFC 8410, section 7).
  const seed = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey)).slice(-SEED_BYTES);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return PRIVATE_PREFIX + toBase64(new Uint8Array([...seed, ...point]));
}

/** The `whpk_…` that verifies what a `whsk_…` signs; null for a symmetric secret. */
export function publicKeyOf(secret: string): string | null {
  if (!secret.startsWith(PRIVATE_PREFIX)) return null;
  return PUBLIC_PREFIX + toBase64(fromBase64(secret.slice(PRIVATE_PREFIX.length)).slice(SEED_BYTES));
}

/** What a signature covers: the message, the time of the attempt and the very bytes that are sent. */
export interface SignedContent {
  messageId: string;
  /** Whole seconds since 1970. */
  timestamp: number;
  body: string;
}

/**
 * One signature for the `webhook-signature` of an attempt (Standard Webhooks 1.0, "Signature scheme"): `id.timestamp.body`
 * signed and in base 64, after `v1,` with HMAC-SHA256 by a `whsec_…`, after `v1a,` with Ed25519 by a `whsk_…`.
 */
export function signWebhook(secret: string, { messageId, timestamp, body }: SignedContent): Promise<string> {
  const signed = new TextEncoder().encode(`${messageId}.${timestamp}.${body}`);
  return secret.startsWith(PRIVATE_PREFIX) ? signEd25519(secret, signed) : signHmac(secret, signed);
}

async function signHmac(secret: string, signed: Uint8Array<ArrayBuffer>): Promise<string> {
  const raw = fromBase64(secret.slice(HMAC_PREFIX.length));
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return `v1,${toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, signed)))}`;
}

async function signEd25519(secret: string, signed: Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = fromBase64(secret.slice(PRIVATE_PREFIX.length));
  const jwk = {
    kty: "OKP",
    crv: "Ed25519",
    d: toBase64Url(bytes.slice(0, SEED_BYTES)),
    x: toBase64Url(bytes.slice(SEED_BYTES)),
  };
  const key = await crypto.subtle.importKey("jwk", jwk, "Ed25519", false, ["sign"]);
  return `v1a,${toBase64(new Uint8Array(await crypto.subtle.sign("Ed25519", key, signed)))}`;
}
