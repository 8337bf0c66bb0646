import * as fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { newWebhookSecret, signWebhook } from "../../shared/signature.ts";

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
