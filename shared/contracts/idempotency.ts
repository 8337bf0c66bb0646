import * as z from "zod";

/** The header `Idempotency-Key`: what a client calls a request, so that it is done once however often it is sent. */
export const IdempotencyKey = z
  .string()
  .regex(/^[!-~]{1,255}$/, "must have 1 to 255 characters of ASCII, none of them a space")
  .meta({
    description:
      "Your name for this request, such as a UUID: sent again within 24 hours under the same name, it is answered as it was the first time and nothing is created again.",
    example: "8e03978e-40d5-43dd-bc93-6894a57f9324",
  });

/** The headers of a request that creates something. */
export const CreatingHeaders = z.object({ "idempotency-key": IdempotencyKey.optional() });

/** The largest body of an answer that is kept to be given again, in characters. */
export const MAX_KEPT_BODY = 262_144;

/** An answer that is kept to be given again; `body` is null when it was too large. */
export const KeptAnswer = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.string().nullable(),
});
export type KeptAnswer = z.infer<typeof KeptAnswer>;

/** What Redis keeps of a request: who works on it, or how it was answered. `fingerprint` tells another request under the same name. */
export const KeptRequest = z.union([
  z.object({ fingerprint: z.string(), holder: z.string() }),
  z.object({ fingerprint: z.string(), answer: KeptAnswer }),
]);
export type KeptRequest = z.infer<typeof KeptRequest>;
