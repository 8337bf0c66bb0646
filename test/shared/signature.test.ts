import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import * as fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { newSigningSecret, newWebhookSecret, publicKeyOf, signWebhook } from "../../shared/signature.ts";

test("the example of Standard Webhooks is signed as there", async () => {
  const signature = await signWebhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", {
    messageId: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestamp: 1_614_265_330,
    body: '{"test": 2432232314}',
  });
  expect(signature).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

test("an independent implementation signs any content with any secret alike", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), fc.nat(), async (body, timestamp) => {
      const secret = newWebhookSecret();
      const messageId = "msg_01kapz6s8r3v5m2n7q9w4x6y8z";
      const theirs = new Webhook(secret).sign(messageId, new Date(timestamp * 1_000), body);
      expect(await signWebhook(secret, { messageId, timestamp, body })).toBe(theirs);
    }),
  );
});

test("a secret is 32 random bytes, new each time", () => {
  const secrets = Array.from({ length: 100 }, newWebhookSecret);
  expect(new Set(secrets).size).toBe(100);
  for (const secret of secrets) {
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(Buffer.from(secret.slice("whsec_".length), "base64")).toHaveLength(32);
  }
});

/** The example pair of the Standard Webhooks specification. */
const PRIVATE_KEY =
  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC_KEY = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";

test("the example of Standard Webhooks with Ed25519 is signed as there, and its public key told", async () => {
  const signature = await signWebhook(PRIVATE_KEY, {
    messageId: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestamp: 1_614_265_330,
    body: '{"test": 2432232314}',
  });
  expect(signature).toBe(
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
  );
  expect(publicKeyOf(PRIVATE_KEY)).toBe(PUBLIC_KEY);
  expect(publicKeyOf(newWebhookSecret())).toBeNull();
});

test("Node's own crypto makes of a new private key the same public key and the same signatures", async () => {
  const secret = await newSigningSecret("ed25519");
  expect(secret).toMatch(/^whsk_[A-Za-z0-9+/]{86}==$/);
  const seed = Buffer.from(secret.slice("whsk_".length), "base64").subarray(0, 32);
  // An Ed25519 key in PKCS #8 is this and its seed (RFC 8410).
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const { x } = createPublicKey(key).export({ format: "jwk" });
  expect(publicKeyOf(secret)).toBe(`whpk_${Buffer.from(x ?? "", "base64url").toString("base64")}`);
  const content = { messageId: "msg_1", timestamp: 1, body: "é" };
  const theirs = sign(null, Buffer.from("msg_1.1.é"), key).toString("base64");
  expect(await signWebhook(secret, content)).toBe(`v1a,${theirs}`);
  expect(await newSigningSecret("ed25519")).not.toBe(secret);
});
