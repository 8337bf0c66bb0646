import { z } from "zod";

/** What each kind of id begins with. After the `_` comes a time-ordered part of [a-z0-9]. */
export const ID_PREFIXES = { classification: "cls", batch: "bat", message: "msg", request: "req" } as const;
export type IdPrefix = (typeof ID_PREFIXES)[keyof typeof ID_PREFIXES];

const idSchema = (prefix: IdPrefix, example: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[a-z0-9]{26,40}$`), `must be an id that begins with ${prefix}_`)
    .meta({ example });

/** The id of a classification. */
export const ClassificationId = idSchema("cls", "cls_01kapz6s8r3v5m2n7q9w4x6y8z");
/** The id of a batch. */
export const BatchId = idSchema("bat", "bat_01kapz6s8r3v5m2n7q9w4x6y8z");
/** The id of a webhook message: the same for every attempt to deliver it. */
export const MessageId = idSchema("msg", "msg_01kapz6s8r3v5m2n7q9w4x6y8z");

/** Who owns a resource. There is one tenant, `default`, until keys of several tenants exist. */
export const Tenant = z.string().regex(/^[a-z0-9-]{1,40}$/);

/** The name of a model, as in `model` of a request and in the name of its queues. */
export const ModelName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]{0,99}$/, "must be the name of a model, such as figures or tresnet_m")
  .meta({ example: "figures" });
