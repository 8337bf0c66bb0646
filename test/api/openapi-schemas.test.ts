import { afterAll, beforeAll, expect, test } from "vitest";
import type { z } from "zod";
import { openapiDocument } from "../../api/openapi.ts";
import type { OpenapiDocument } from "../../api/openapi.ts";
import { ImageInput } from "../../shared/contracts/image.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

let api: TestApi;
let document: OpenapiDocument;
beforeAll(async () => {
  api = await startTestApi();
  document = openapiDocument(api.app);
});
afterAll(() => api.close());

/** Every object in a JSON value, itself first, with the JSON pointer to it. */
function* objectsIn(
  value: unknown,
  pointer = "#",
): Generator<[pointer: string, object: Record<string, unknown>]> {
  if (typeof value !== "object" || value === null) return;
  yield [pointer, value as Record<string, unknown>];
  for (const [key, each] of Object.entries(value))
    yield* objectsIn(each, `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
}

const resolve = (pointer: string): unknown =>
  pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], document);

test("every reference leads somewhere", () => {
  const references = [...objectsIn(document)].filter(([, { $ref }]) => typeof $ref === "string");
  expect(references.length).toBeGreaterThan(20);
  for (const [where, { $ref }] of references)
    expect(resolve($ref as string), `${where} -> ${$ref as string}`).toBeDefined();
});

const isText = (value: unknown) => typeof value === "string";
const isNumber = (value: unknown) => typeof value === "number";
const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
const areTexts = (value: unknown) =>
  Array.isArray(value) && new Set(value).size === value.length && value.every(isText);
const isSchema = (value: unknown) =>
  typeof value === "boolean" || (typeof value === "object" && !Array.isArray(value));
const areSchemas = (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(isSchema);
const hasSchemas = (value: unknown) =>
  typeof value === "object" && value !== null && Object.values(value).every(isSchema);
const TYPES = ["null", "boolean", "object", "array", "number", "string", "integer"];

/** The keywords of JSON Schema 2020-12 that the document may use, and what they must have: https://json-schema.org/draft/2020-12/schema. `example` is OpenAPI's. */
const KEYWORDS: Record<string, (value: unknown) => boolean> = {
  $ref: isText,
  type: (value) => [value].flat().every((each) => TYPES.includes(each as string)),
  format: isText,
  pattern: isText,
  description: isText,
  example: () => true,
  default: () => true,
  const: () => true,
  enum: (value) => Array.isArray(value) && value.length > 0,
  minimum: isNumber,
  maximum: isNumber,
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  required: areTexts,
  items: isSchema,
  prefixItems: areSchemas,
  properties: hasSchemas,
  propertyNames: isSchema,
  additionalProperties: isSchema,
  anyOf: areSchemas,
  oneOf: areSchemas,
  allOf: areSchemas,
};

/** A schema and every schema in it. */
function* schemasIn(
  schema: unknown,
  pointer: string,
): Generator<[pointer: string, schema: Record<string, unknown>]> {
  if (typeof schema !== "object" || schema === null) return;
  const { properties, items, propertyNames, additionalProperties, ...rest } = schema as Record<
    string,
    object
  >;
  yield [pointer, schema as Record<string, unknown>];
  const named = Object.entries({ items, propertyNames, additionalProperties, ...properties });
  const listed = ["prefixItems", "anyOf", "oneOf", "allOf"].flatMap((name) =>
    Object.entries(rest[name] ?? []),
  );
  for (const [name, each] of [...named, ...listed]) yield* schemasIn(each, `${pointer}/${name}`);
}

test("every schema is one of JSON Schema 2020-12, as OpenAPI 3.1 has it", () => {
  const roots = [...objectsIn(document)].flatMap(([pointer, { schema }]) =>
    schema === undefined ? [] : [[`${pointer}/schema`, schema] as const],
  );
  const named = Object.entries(document.components?.schemas ?? {});
  const schemas = [...roots, ...named].flatMap(([pointer, schema]) => [...schemasIn(schema, pointer)]);
  expect(schemas.length).toBeGreaterThan(300);
  const faults = schemas.flatMap(([pointer, schema]) =>
    Object.entries(schema).flatMap(([keyword, value]) =>
      KEYWORDS[keyword]?.(value) ? [] : [`${pointer}: ${keyword} ${JSON.stringify(value)}`],
    ),
  );
  expect(faults).toEqual([]);
  const isMissing = ([
    ,
    { required = [], properties = {}, additionalProperties },
  ]: (typeof schemas)[number]) =>
    additionalProperties === false &&
    (required as string[]).some((name) => !Object.hasOwn(properties as object, name));
  expect(schemas.filter(isMissing)).toEqual([]);
});

test("every example in a request is one that the request's own schema takes", () => {
  const withJson = api.app.openAPIRegistry.definitions.flatMap((definition) => {
    if (definition.type !== "route") return [];
    const media = definition.route.request?.body?.content["application/json"] as
      | { schema: z.ZodType }
      | undefined;
    const schema = media?.schema;
    return schema === undefined ? [] : [schema];
  });
  expect(withJson.length).toBeGreaterThan(2);
  for (const schema of withJson) {
    const { example } = schema.meta() ?? {};
    expect(schema.safeParse(example).error).toBeUndefined();
  }
});

test("every pattern is one that JavaScript reads as it stands, and the example beside it matches", () => {
  let examples = 0;
  for (const [where, { pattern, example }] of objectsIn(document)) {
    if (typeof pattern !== "string") continue;
    const text = typeof example === "string" ? example : "";
    if (text !== "") examples++;
    expect(text === "" || new RegExp(pattern, "u").test(text), `${where} ${pattern} ${text}`).toBe(true);
  }
  expect(examples).toBeGreaterThan(5);
});

test("the examples of all image sources are taken", () => {
  const { anyOf } = resolve("#/components/schemas/ImageInput") as {
    anyOf: { properties: Record<string, { example?: string }> }[];
  };
  const { properties } = resolve("#/components/schemas/S3Object") as {
    properties: Record<"bucket" | "key", { example: string }>;
  };
  const object = { bucket: properties.bucket.example, key: properties.key.example };
  const sources = anyOf.map((source) =>
    Object.fromEntries(
      Object.entries(source.properties).map(([name, { example }]) => [name, example ?? object]),
    ),
  );
  expect(sources.map((source) => Object.keys(source))).toEqual([["url"], ["data"], ["s3"], ["upload_id"]]);
  for (const source of sources) expect(ImageInput.safeParse(source).error).toBeUndefined();
});
