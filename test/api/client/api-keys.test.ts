import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../../../api/client/client.ts";
import type { Client } from "../../../api/client/client.ts";
import { serveApi } from "./serve-api.ts";
import type { ServedApi } from "./serve-api.ts";

let api: ServedApi;
let client: Client;
beforeAll(async () => {
  api = await serveApi();
  client = createClient(api);
});
afterAll(() => api.close());

const make = (count: number) =>
  client.apiKeys.create({ name: `${count}`, tenant: "many", scopes: ["admin"] });

test("a key is made, sent, listed and revoked", async () => {
  const { key, ...shown } = await client.apiKeys.create({
    name: "importer",
    tenant: "acme",
    scopes: ["admin"],
  });
  const theirs = createClient({ ...api, apiKey: key });
  expect(await theirs.apiKeys.list()).toMatchObject([{ id: shown.id, name: "importer", tenant: "acme" }]);
  expect(await client.apiKeys.revoke(shown.id)).toMatchObject({ id: shown.id, name: "importer" });
  await expect(theirs.apiKeys.list()).rejects.toMatchObject({ code: "unauthorized", status: 401 });
});

test("more keys than fit on a page are listed", async () => {
  const made = await Promise.all(Array.from({ length: 101 }, (_, count) => make(count)));
  const listed = await createClient({ ...api, apiKey: made[0]?.key ?? "" }).apiKeys.list();
  expect(new Set(listed.map(({ id }) => id))).toEqual(new Set(made.map(({ id }) => id)));
});
