import * as fc from "fast-check";
import type { OpenapiDocument } from "../../../api/openapi.ts";
import { words } from "./words.ts";

/** What the OpenAPI document says of an operation, as far as requests are made of it. */
export interface DescribedOperation {
  method: string;
  path: string;
  parameters: { name: string; in: string }[];
  /** The example of its JSON body; undefined when it takes none. */
  example: unknown;
  /** Whether its answer goes on for as long as what it tells of does. */
  isStream: boolean;
}

/** A request that somebody might send to break in, or because of a fault. */
export interface HostileRequest {
  path: string;
  init: { method: string; headers: Record<string, string>; body?: Uint8Array<ArrayBuffer> };
}

interface Described {
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: { $ref?: string } }> };
  responses: Record<string, { content?: Record<string, unknown> }>;
}

/** Every operation of the document. */
export function operationsOf(document: OpenapiDocument): DescribedOperation[] {
  const schemas = document.components?.schemas as Record<string, { example?: unknown }> | undefined;
  return Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Described>).map(
      ([method, { parameters = [], requestBody, responses }]) => {
        const name = requestBody?.content["application/json"]?.schema.$ref?.split("/").at(-1) ?? "";
        const example = requestBody === undefined ? undefined : (schemas?.[name]?.example ?? {});
        const isStream = responses["200"]?.content?.["text/event-stream"] !== undefined;
        return { method: method.toUpperCase(), path, parameters, example, isStream };
      },
    ),
  );
}

/** Requests to the operations, most of them with the shape of one that is right; `ids` are those of what is there. */
export function hostileRequests(
  operations: readonly DescribedOperation[],
  ids: readonly string[],
): fc.Arbitrary<HostileRequest> {
  const somethingThere = fc.option(fc.constantFrom(...ids), { freq: 3, nil: undefined });
  return fc
    .record({
      operation: fc.constantFrom(...operations),
      inPath: fc.array(fc.record({ there: somethingThere, text: TEXTS }), { minLength: 2, maxLength: 2 }),
      given: fc.array(fc.tuple(fc.nat(), TEXTS), { maxLength: 3 }),
      stranger: fc.option(fc.tuple(TEXTS, TEXTS), { freq: 6 }),
      edits: fc.array(EDITS, { maxLength: 3 }),
      spoil: fc.oneof({ weight: 4, arbitrary: fc.constant("") }, fc.constantFrom(...Object.keys(SPOILERS))),
      type: fc.oneof({ weight: 4, arbitrary: fc.constant("application/json") }, fc.constantFrom(...TYPES)),
    })
    .map(({ operation, inPath: parts, given, stranger, edits, spoil, type }) => {
      const query = new URLSearchParams(stranger ? [stranger] : []);
      const headers: Record<string, string> = {};
      const named = operation.parameters.filter((each) => each.in !== "path");
      for (const [which, text] of given) {
        const parameter = named[which % Math.max(named.length, 1)];
        if (parameter?.in === "query") query.append(parameter.name, text);
        if (parameter?.in === "header") headers[parameter.name] = inHeader(text);
      }
      const left = parts.map(({ there, text }) => (operation.isStream ? text : (there ?? text)));
      const path = operation.path.replaceAll(/\{\w+\}/g, () =>
        encodeURIComponent(wellFormed(left.pop() ?? "")),
      );
      const search = query.size > 0 ? `?${query.toString()}` : "";
      const init: HostileRequest["init"] = { method: operation.method, headers };
      if (operation.method !== "GET" && operation.example !== undefined) {
        headers["content-type"] = type;
        const text = JSON.stringify(edited(operation.example, edits));
        init.body = (SPOILERS[spoil] ?? encode)(text);
      }
      // As it goes over the wire: without the dots that lead to another path.
      const { href } = new URL(path + search, ORIGIN);
      return {
        path: href.slice(ORIGIN.length),
        init,
        [fc.toStringMethod]: () =>
          `${operation.method} ${href.slice(ORIGIN.length, 500)} ${JSON.stringify(headers)} ${new TextDecoder().decode(init.body).slice(0, 1_000)}`,
      };
    });
}

/** Characters that are none, are half of one, or are not seen. */
const CONTROLS =
  " |\0|a\0b|\r\nx: y|\n|\u0008|\u007f|\ud800|\udfff|\ufeff|\u202e|e\u0301|\u{1f4a9}||..\\x".split("|");

const ORIGIN = "http://localhost";
const encode = (text: string) => new TextEncoder().encode(text);
const wellFormed = (text: string) => text.toWellFormed() || "-";
const inHeader = (text: string) => text.replaceAll(/[^\t -~\u0080-\u00ff]/g, "?").slice(0, 4_000);

/** Texts that have broken something somewhere. The one wait that is right is short. */
const TEXTS = fc.oneof(
  fc.constantFrom(
    ...words(`
      0 -1 1e309 NaN 9007199254740993 0x10 null true [] {} undefined 5 30s -5m 999999999h wait=1 wait=-1
      wait=99999999999 respond-async __proto__ constructor prototype toString hasOwnProperty length __defineGetter__
      .. ../../etc/passwd %2e%2e%2f %00 % %ff / // . ; a:b * ? {{7*7}} <script> \`id\` |id *)(uid=* %s%n $(id)
      http://169.254.169.254/ file:///etc/passwd javascript:1 s3://a/b data:,x http://[::1 2026-11-22T00:00:00Z
      2026-13-99T99:99:99Z 0000-01-01T00:00:00Z +275760-09-13T00:00:00.001Z cls_01kapz6s8r3v5m2n7q9w4x6y8z
      bat_7zzzzzzzzzzzzzzzzzzzzzzzzz lbl_ whe_0 eyJpZCI6MX0 W10=`),
    ...CONTROLS,
    "x".repeat(300),
    "\u00e9".repeat(5_000),
  ),
  fc.string({ unit: "binary", maxLength: 20 }),
);

const nested = (depth: number, of: unknown = 1): unknown =>
  Array.from({ length: depth }).reduce((inside: unknown) => [inside], of);

const many = Array.from({ length: 2_000 }, (_, index) => index);
const HUGE: unknown[] = [
  nested(500),
  nested(500, {}),
  { a: nested(100) },
  "x".repeat(100_000),
  "\ud800".repeat(1_000),
  many,
  many.map(String),
  Object.fromEntries(many.map((each) => [each, each])),
];
const POLLUTING: unknown[] = [
  JSON.parse('{"__proto__": {"polluted": true}}'),
  { constructor: { prototype: { polluted: true } } },
  { toString: 1, valueOf: 1, toJSON: 1 },
  { length: 1e9 },
  { $ref: "#" },
];
const PLAIN: unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  5e-324,
  [],
  {},
  [[]],
  [null],
  [{}],
  "",
];
const VALUES = fc.oneof(fc.constantFrom(...HUGE, ...POLLUTING, ...PLAIN), TEXTS, fc.double(), fc.jsonValue());

/** What is done to the value at one of the places in a body. */
interface Edit {
  place: number;
  how: "replace" | "remove" | "add" | "wrap" | "double";
  name: string;
  value: unknown;
}
const EDITS: fc.Arbitrary<Edit> = fc.record({
  place: fc.nat(),
  how: fc.constantFrom("replace", "remove", "add", "wrap", "double"),
  name: TEXTS,
  value: VALUES,
});

type Holder = Record<string, unknown>;

function edited(example: unknown, edits: readonly Edit[]): unknown {
  const root: Holder = { body: structuredClone(example) };
  for (const edit of edits) {
    const places = placesIn(root);
    const [holder, key] = places[edit.place % places.length] ?? [root, "body"];
    const now = holder[key];
    const value = structuredClone(edit.value);
    if (edit.how === "remove") delete holder[key];
    else if (edit.how === "wrap") holder[key] = [now];
    else if (edit.how === "double") holder[key] = [now, now];
    else if (edit.how === "add" && typeof now === "object" && now !== null && !Array.isArray(now))
      Object.defineProperty(now, edit.name, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    else holder[key] = value;
  }
  return root["body"] ?? null;
}

/** Every place in a value that has another value, by who holds it; of very many the first. */
function placesIn(root: Holder): [holder: Holder, key: string][] {
  const places: [Holder, string][] = [];
  const look = (holder: Holder, depth: number) => {
    for (const key of Object.keys(holder).slice(0, 20)) {
      places.push([holder, key]);
      const value = holder[key];
      if (depth < 8 && typeof value === "object" && value !== null) look(value as Holder, depth + 1);
    }
  };
  look(root, 0);
  return places;
}

/** What can be wrong with a text that was JSON. */
const SPOILERS: Record<string, (text: string) => Uint8Array<ArrayBuffer>> = {
  cut: (text) => encode(text.slice(0, text.length / 2)),
  "goes on": (text) => encode(`${text}x`),
  twice: (text) => encode(text + text),
  empty: () => encode(""),
  "byte order mark": (text) => encode(`\ufeff${text}`),
  "UTF-16": (text) => Uint8Array.from(Buffer.from(text, "utf16le")),
  "not UTF-8": (text) => Uint8Array.from(Buffer.from(text.replaceAll("e", "\u00ff"), "latin1")),
  NUL: (text) => encode(text.replaceAll('"', '"\0')),
  "lone surrogate": (text) => encode(text.replaceAll("a", "\\ud800")),
  "escaped NUL": (text) => encode(text.replaceAll("a", "\\u0000")),
  "prototype at the front": (text) => encode(text.replace("{", '{"__proto__": {"polluted": true}, ')),
  "same key again": (text) => encode(text.replace("{", '{"image": 1, "items": 1, "url": 1, ')),
  "deep lists": () => encode("[".repeat(100_000)),
  "deep objects": () => encode('{"image":'.repeat(50_000)),
  "closed deep lists": () => encode("[".repeat(20_000) + "]".repeat(20_000)),
  "long number": () => encode("1".repeat(50_000)),
  comments: (text) => encode(`/* x */ ${text}`),
};

/** What a body may say that it is. */
const TYPES = [
  ...words(`
    x / json text/plain APPLICATION/JSON application/json; application/problem+json image/png image/ image/svg+xml
    multipart/form-data multipart/form-data;boundary= multipart/form-data;boundary=x application/xml
    application/x-www-form-urlencoded application/octet-stream application/json;charset=utf-16`),
  "",
  "application/json, image/png",
  `image/${"x".repeat(3_000)}`,
];
