import * as z from "zod";
import { ApiKeyId, Tenant } from "./ids.ts";

/** What a key allows: none includes another. */
export const Scope = z.enum(["classify", "read", "admin"]).meta({
  id: "Scope",
  description:
    "`classify`: create, cancel and retry. `read`: look at classifications, batches, labelers and their results. `admin`: keys, webhook endpoints and secrets, labelers, and for the tenant `default` the queues.",
});
export type Scope = z.infer<typeof Scope>;

const Scopes = z
  .array(Scope)
  .min(1)
  .max(Scope.options.length)
  .refine((scopes) => new Set(scopes).size === scopes.length, "must not name a scope twice")
  .meta({ example: ["classify", "read"] });

/** The JSON body of `POST /v1/api-keys`. */
export const CreateApiKey = z
  .strictObject({
    name: z.string().min(1).max(100).meta({ description: "For you to tell it by.", example: "importer" }),
    tenant: Tenant.optional().meta({
      description:
        "Whose key it is; that of the key that asks when absent. Only the service's own `API_KEY` makes keys of others, and so new tenants.",
      example: "acme",
    }),
    scopes: Scopes,
  })
  .meta({ id: "CreateApiKey", example: { name: "importer", tenant: "acme", scopes: ["classify", "read"] } });
export type CreateApiKey = z.infer<typeof CreateApiKey>;

/** A key as it is shown at any time: without the key itself. */
export const ApiKey = z
  .object({
    id: ApiKeyId,
    object: z.literal("api_key"),
    name: z.string(),
    tenant: Tenant,
    scopes: z.array(Scope),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().nullable().meta({ description: "To the minute; null until it is used." }),
    revoked_at: z.iso.datetime().nullable(),
  })
  .meta({ id: "ApiKey", description: "A key that clients send." });
export type ApiKey = z.infer<typeof ApiKey>;

/** A key just after it was made: the only answer that shows it. */
export const ApiKeyWithSecret = ApiKey.extend({
  key: z.string().meta({ description: "`tl_…`, what clients send; shown this once." }),
}).meta({ id: "ApiKeyWithSecret" });
export type ApiKeyWithSecret = z.infer<typeof ApiKeyWithSecret>;

/** What Redis keeps of a key for as long as it knows it. `sha256` is that of the whole key, in hexadecimal digits. */
export const ApiKeyRecord = ApiKey.pick({
  id: true,
  name: true,
  tenant: true,
  scopes: true,
  created_at: true,
}).extend({ sha256: z.string() });
export type ApiKeyRecord = z.infer<typeof ApiKeyRecord>;
