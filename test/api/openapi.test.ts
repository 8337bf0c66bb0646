import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openapiDocument } from "../../api/openapi.ts";
import type { OpenapiDocument } from "../../api/openapi.ts";
import { SCOPES } from "../../api/scopes.ts";
import { ERROR_KINDS } from "../../shared/contracts/error.ts";
import { describedRoutes } from "./support/check-response.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

/** What the tests look at in an operation. */
interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string; required?: boolean; schema: Record<string, unknown> }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Record<string, unknown> }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: { $ref?: string } }> }>;
}

let api: TestApi;
let document: OpenapiDocument;
let operations: { method: string; path: string; operation: Operation }[];

beforeAll(async () => {
  api = await startTestApi();
  document = openapiDocument(api.app);
  operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({
      method,
      path,
      operation,
    })),
  );
});
afterAll(() => api.close());

test("it is valid by the published schema of OpenAPI 3.1", async () => {
  const validator = new Validator();
  const served = JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
  expect(await validator.validate(served)).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
  const broken = { ...served, paths: { "/v1/classifications": { get: { responses: "none" } } } };
  expect((await validator.validate(broken)).valid).toBe(false);
});

test("it is served to anyone as JSON, and is what the app says of itself", async () => {
  const response = await api.app.request("/openapi.json");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual(JSON.parse(JSON.stringify(document)));
});

test("it is an OpenAPI 3.1 document", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(document.info).toMatchObject({ title: "Tresline", version: "1", license: { name: "Apache-2.0" } });
  expect(operations.length).toBeGreaterThan(8);
  const paths = Object.keys(document.paths ?? {});
  expect(paths.filter((path) => !path.startsWith("/"))).toEqual([]);
});

test("every operation has a name of its own, a summary, a tag and a description of each answer", () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { path, operation } of operations) {
    expect(operation.operationId, path).toMatch(/^[a-z][A-Za-z]+$/);
    expect(operation.summary, path).toMatch(/^[A-Z].*[^.]$/);
    expect(operation.tags, path).toHaveLength(1);
    for (const [status, { description }] of Object.entries(operation.responses)) {
      expect(status).toMatch(/^[1-5]\d\d$/);
      expect(description.length, `${path} ${status}`).toBeGreaterThan(0);
    }
  }
});

test("every parameter of a path is described and no other", () => {
  for (const { path, operation } of operations) {
    const inPath = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]);
    const described = (operation.parameters ?? []).filter((each) => each.in === "path");
    expect(
      described.map(({ name }) => name),
      path,
    ).toEqual(inPath);
    expect(described.every(({ required }) => required)).toBe(true);
    for (const { schema } of operation.parameters ?? [])
      expect(schema["type"] ?? schema["$ref"]).toBeDefined();
  }
});

test("everything under /v1 asks for the key and tells its errors as problems, and nothing else does", () => {
  expect(document.components?.securitySchemes).toEqual({ bearer: { type: "http", scheme: "bearer" } });
  for (const { method, path, operation } of operations) {
    const isV1 = path.startsWith("/v1/");
    const scope = SCOPES[`${method.toUpperCase()} ${path}`];
    expect(operation.security, path).toEqual(isV1 ? [{ bearer: scope ? [scope] : [] }] : undefined);
    const errors = Object.entries(operation.responses).filter(
      ([, { content }]) => content?.["application/problem+json"],
    );
    for (const [, { content }] of errors)
      expect(content?.["application/problem+json"]?.schema).toEqual({ $ref: "#/components/schemas/Problem" });
    const statuses = errors.map(([status]) => status);
    const ofKeys = ["403", "429"];
    const needed = isV1 ? ["400", "401", "500", "503", ...(path.includes("{") ? ["404"] : [])] : [];
    expect(
      [...needed, ...(scope ? ofKeys : [])].filter((status) => !statuses.includes(status)),
      path,
    ).toEqual([]);
    expect(scope ? [] : statuses.filter((status) => ofKeys.includes(status)), path).toEqual([]);
    expect(isV1 || statuses.length === 0, path).toBe(true);
    for (const [status, { description }] of errors)
      for (const [, code] of description.matchAll(/`(\w+)`/g))
        expect(ERROR_KINDS[code as keyof typeof ERROR_KINDS].status, `${path} ${status}`).toBe(
          Number(status),
        );
  }
});

test("every body of a request is needed and has a schema for each of its types", () => {
  const bodies = operations.flatMap(({ operation }) => operation.requestBody ?? []);
  expect(bodies.length).toBeGreaterThan(2);
  for (const { required, content } of bodies) {
    expect(required).toBe(true);
    for (const { schema } of Object.values(content)) expect(schema["type"] ?? schema["$ref"]).toBeDefined();
  }
});

test("numbers in a query are described as numbers, with their range", () => {
  const create = operations.find(
    ({ operation }) => operation.operationId === "createClassification",
  )?.operation;
  const topK = create?.parameters?.find(({ name }) => name === "top_k");
  expect(topK?.schema).toMatchObject({ type: "integer", minimum: 1, maximum: 1000 });
  expect(topK?.schema).not.toHaveProperty("pattern");
  const threshold = create?.parameters?.find(({ name }) => name === "threshold");
  expect(threshold?.schema).toMatchObject({ type: "number", minimum: 0, maximum: 1 });
});

test("what is served is described, but the pages of the console, and what is described is served", () => {
  const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  const served = new Set(
    api.app.routes
      .filter(({ method, path }) => method !== "ALL" && path !== "/" && !path.startsWith("/console"))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`),
  );
  expect([...served].toSorted()).toEqual(described.toSorted());
  expect(describedRoutes(api.app)).toHaveLength(described.length);
});
