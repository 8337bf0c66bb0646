import { afterAll, beforeAll, expect, test } from "vitest";
import { docsPage } from "../../api/docs-page.ts";
import { openapiDocument } from "../../api/openapi.ts";
import { ERROR_KINDS, problemType } from "../../shared/contracts/error.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

let api: TestApi;
let response: Response;
let page: string;

beforeAll(async () => {
  api = await startTestApi();
  response = await api.request("/docs");
  page = await response.text();
});
afterAll(() => api.close());

const anchors = () => [...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1] ?? "");

test("the page is served to anyone, as HTML that may load and run nothing", async () => {
  expect((await api.app.request("/docs")).status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/html; charset=utf-8/i);
  expect(response.headers.get("content-security-policy")).toBe(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  expect(page).toMatch(/^<!doctype html>\s*<html lang="en">/);
  expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\son\w+=|javascript:/i);
  expect(page).not.toContain("[object");
  expect(page).not.toContain("undefined");
});

test("every error code has the place that a problem's type points to, with its status and title", () => {
  for (const code of Object.keys(ERROR_KINDS) as (keyof typeof ERROR_KINDS)[]) {
    const [, anchor = ""] = problemType(code).split("#");
    expect(problemType(code)).toBe(`/docs#${anchor}`);
    expect(anchors()).toContain(anchor);
    expect(page).toContain(`${ERROR_KINDS[code].title}.`);
  }
});

test("every operation, every parameter and every schema is shown", () => {
  const { paths, components } = openapiDocument(api.app);
  for (const [path, methods] of Object.entries(paths ?? {})) {
    for (const [method, operation] of Object.entries(
      methods as Record<string, { operationId: string; summary: string; parameters?: { name: string }[] }>,
    )) {
      const section = page.split(`<section id="${operation.operationId}">`)[1]?.split("</section>")[0] ?? "";
      expect(section).toContain(`<h2>${operation.summary}</h2>`);
      expect(section).toContain(`${method.toUpperCase()}</b> ${path}</code>`);
      for (const { name } of operation.parameters ?? []) expect(section).toContain(`<code>${name}</code>`);
    }
  }
  for (const name of Object.keys(components?.schemas ?? {})) expect(anchors()).toContain(`schema-${name}`);
});

test("every place has a name of its own, and every link on the page leads to one", () => {
  expect(new Set(anchors()).size).toBe(anchors().length);
  const links = [...page.matchAll(/href="#([^"]+)"/g)].map((match) => match[1] ?? "");
  expect(links.length).toBeGreaterThan(30);
  expect(links.filter((link) => !anchors().includes(link))).toEqual([]);
});

test("what may be null is shown to be", () => {
  const section = page.split('<section id="schema-Classification">')[1]?.split("</section>")[0] ?? "";
  const rowOf = (name: string) =>
    section.split("<tr>").find((row) => row.includes(`<code>${name}</code>`)) ?? "";
  for (const name of ["error", "predictions", "model_digest", "completed_at"])
    expect(rowOf(name), name).toContain(" or null");
  for (const name of ["id", "created_at", "urls"]) expect(rowOf(name), name).not.toContain("null");
  expect(page.split('<section id="schema-ItemError">')[1]?.split("</section>")[0]).not.toContain("null");
});

test("HTML in any text of the document is shown, not made part of the page", async () => {
  const evil = `<script>alert("1")</script>`;
  const html = String(
    await docsPage({
      openapi: "3.1.0",
      info: { title: evil, version: "1", description: `${evil} \`${evil}\`` },
      paths: {
        "/x": {
          get: {
            operationId: "getX",
            summary: evil,
            description: evil,
            tags: ["X"],
            parameters: [
              {
                name: evil,
                in: "query",
                description: evil,
                schema: { type: "string", default: evil, enum: [evil] },
              },
            ],
            requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Y" } } } },
            responses: {
              200: {
                description: evil,
                content: { [evil]: { schema: { type: "object", properties: { [evil]: {} } } } },
              },
            },
          },
        },
      },
      components: {
        schemas: {
          Y: {
            type: "object",
            description: evil,
            example: { [evil]: evil },
            properties: { [evil]: { type: "string", description: evil, default: evil } },
          },
        },
      },
    }),
  );
  expect(html).not.toContain("<script");
  expect(html.split("&lt;script&gt;").length).toBeGreaterThan(12);
});

test("text between backticks stands as code, and an error's code leads to its description", () => {
  expect(page).toContain("<code>Prefer: wait=10</code>");
  expect(page).not.toContain("`");
  expect(page).toContain('<a href="#model_not_found"><code>model_not_found</code></a>');
});
