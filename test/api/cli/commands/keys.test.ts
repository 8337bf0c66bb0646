import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiKey } from "../../../../shared/contracts/api-key.ts";
import { serveApi } from "../../client/serve-api.ts";
import type { ServedApi } from "../../client/serve-api.ts";
import { linesOf, runTresline } from "../run-tresline.ts";

let api: ServedApi;
beforeAll(async () => {
  api = await serveApi();
});
afterAll(() => api.close());

const run = (args: string[], key = api.apiKey) =>
  runTresline(["keys", ...args], { TRESLINE_URL: api.url, TRESLINE_API_KEY: key });

test("a key is printed alone once it is made, works, is listed and is revoked", async () => {
  const made = await run(["create", "importer", "--scope", "admin", "--scope", "read", "--tenant", "acme"]);
  expect(made.code).toBe(0);
  expect(made.out).toMatch(/^tl_[0-9a-z]{26}_[0-9a-f]{64}\n$/);
  const id = /key_[0-9a-z]{26}/.exec(made.err)?.[0] ?? "";
  expect(made.err).toBe(`tresline: ${id} of acme. The key is not shown again:\n`);
  const listed = await run(["list"], made.out.trim());
  expect(linesOf(listed.out)).toEqual([
    expect.stringMatching(/^NAME +SCOPES +ID$/),
    expect.stringMatching(new RegExp(`^acme: importer +admin read +${id}$`)),
  ]);
  const revoked = await run(["revoke", id]);
  expect(revoked.out).toMatch(new RegExp(`^${id} \\(acme: importer\\) is revoked since 2\\S+Z\\.\n$`));
  expect((await run(["list"], made.out.trim())).err).toMatch(/This API key was revoked at/);
  expect((await run(["list"])).out).toMatch(new RegExp(`acme: importer +revoked +${id}`));
  const [newest] = linesOf((await run(["list", "--json"])).out);
  expect(JSON.parse(newest ?? "") as ApiKey).toMatchObject({ id, scopes: ["admin", "read"] });
});

test.each([
  [["create"], "keys create takes one name."],
  [["create", "importer"], "keys create needs --scope classify, read or admin."],
  [["create", "importer", "--scope", "write"], '--scope must be classify or read or admin; it is "write".'],
  [["list", "all"], "keys list takes options only."],
  [["revoke", "bat_1"], "keys revoke takes one id, which begins with key_."],
])("tresline keys %j is refused", async (args, said) => {
  const { code, err } = await run(args);
  expect(code).toBe(2);
  expect(err).toContain(said);
});
