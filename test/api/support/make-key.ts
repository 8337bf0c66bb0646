import { expect } from "vitest";
import { ApiKeyWithSecret } from "../../../shared/contracts/api-key.ts";
import type { CreateApiKey } from "../../../shared/contracts/api-key.ts";
import type { TestApi } from "./test-api.ts";

/** A key of a tenant as the API makes it, and the header to send it with. */
export async function makeKey(api: TestApi, wanted: Partial<CreateApiKey> = {}) {
  const body = { name: "a test's", scopes: ["classify", "read", "admin"], ...wanted };
  const response = await api.post("/v1/api-keys", body);
  expect(response.status).toBe(201);
  const { key, ...shown } = ApiKeyWithSecret.parse(await response.json());
  return { key, shown, headers: { authorization: `Bearer ${key}` } };
}
