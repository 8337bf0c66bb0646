import { html } from "hono/html";
import { ERROR_KINDS } from "../shared/contracts/error.ts";
import { DOCS_STYLE } from "./docs-style.ts";
import type { OpenapiDocument } from "./openapi.ts";

/** The parts of a JSON schema that the page shows. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  const?: unknown;
  description?: string;
  default?: unknown;
  example?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

type Content = Record<string, { schema?: Schema }>;

interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  security?: { bearer: string[] }[];
  parameters?: { in: string; name: string; required?: boolean; description?: string; schema: Schema }[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}

type Route = { method: string; path: string; operation: Operation };

type Html = ReturnType<typeof html>;

/** The reference as one page without script, made of the OpenAPI document; every error code has a place that a problem's `type` points to. */
export function docsPage({ info, paths, components }: OpenapiDocument): Html {
  const routes = Object.entries(paths ?? {})
    .flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({
        method,
        path,
        operation,
      })),
    )
    .toSorted((a, b) => Number(isForOperators(a)) - Number(isForOperators(b)));
  const schemas = (components?.schemas ?? {}) as Record<string, Schema>;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title} API</title>
        <style>
          ${DOCS_STYLE}
        </style>
      </head>
      <body>
        <header>
          <h1>${info.title} API</h1>
          <p>${prose(info.description)}</p>
          <p>
            Send <code>Authorization: Bearer &lt;API key&gt;</code> with every request under <code>/v1</code>.
            For programs: <a href="/openapi.json">openapi.json</a>.
          </p>
        </header>
        <nav aria-label="Contents">
          ${routes.map(({ method, path, operation }) => html`<a href="#${operation.operationId}">${route(method, path)} <span>${operation.summary}</span></a>`)}
          <a href="#schemas">Schemas</a> <a href="#errors">Error codes</a>
        </nav>
        <main>
          ${routes.map((each) => routeSection(each, schemas))}
          <h2 id="schemas">Schemas</h2>
          ${Object.keys(schemas)
            .toSorted()
            .map((title) => schemaSection(title, schemas[title] ?? {}))}
          <h2 id="errors">Error codes</h2>
          <p>
            An error is a <a href="#schema-Problem">Problem</a>, <code>application/problem+json</code> (RFC
            9457). Programs branch on its <code>code</code>.
          </p>
          <dl>
            ${Object.entries(ERROR_KINDS).map(
              ([code, { status, title }]) =>
                html`<div id="${code}">
                  <dt>${status}</dt>
                  <dd><code>${code}</code> ${title}.</dd>
                </div>`,
            )}
          </dl>
        </main>
      </body>
    </html>`;
}

const isForOperators = ({ operation }: Route) => operation.tags.includes("Operations");

const route = (method: string, path: string) =>
  html`<code><b class="${method}">${method.toUpperCase()}</b> ${path}</code>`;

/** Text in which `…` stands for code; the code of an error leads to its description. */
const prose = (text = "") =>
  text.split("`").map((part, index) => {
    if (index % 2 === 0) return part;
    const code = html`<code>${part}</code>`;
    return Object.hasOwn(ERROR_KINDS, part) ? html`<a href="#${part}">${code}</a>` : code;
  });

function routeSection({ method, path, operation }: Route, schemas: Record<string, Schema>): Html {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const scope = operation.security?.[0]?.bearer[0];
  const json = requestBody?.content["application/json"]?.schema;
  const example = schemas[json?.$ref?.split("/").at(-1) ?? ""]?.example;
  return html`<section id="${operationId}">
    <h2>${summary}</h2>
    <p>${route(method, path)}</p>
    ${description && html`<p>${prose(description)}</p>`}
    ${scope && html`<p>For keys with the scope <code>${scope}</code>.</p>`}
    ${rows(parameters.map(({ in: place, description: text, ...rest }) => ({ ...rest, place, text })))}
    ${requestBody && html`<p>Body: ${contents(requestBody.content)}</p>`}
    ${example !== undefined && html`<pre><code>${JSON.stringify(example, null, 2)}</code></pre>`}
    <dl>
      ${Object.entries(responses).map(
        ([status, response]) =>
          html`<div>
            <dt>${status}</dt>
            <dd>${prose(response.description)} ${contents(response.content)}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

/** The media types of a body with what each holds; what a problem is stands under "Error codes". */
const contents = (content: Content = {}) =>
  Object.entries(content)
    .filter(([type]) => type !== "application/problem+json")
    .map(
      ([type, { schema }], index) =>
        html`${index > 0 ? "; " : ""}<span><code>${type}</code></span> ${schema && typeOf(schema)}`,
    );

function schemaSection(title: string, schema: Schema): Html {
  const properties = Object.entries(schema.properties ?? {}).map(([key, value]) => ({
    name: key,
    required: schema.required?.includes(key) ?? false,
    schema: value,
    text: value.description,
  }));
  return html`<section id="schema-${title}">
    <h3>${title}</h3>
    ${schema.description && html`<p>${prose(schema.description)}</p>`}
    ${properties.length > 0 ? rows(properties) : html`<p>${typeOf(schema)}</p>`}
  </section>`;
}

interface Row {
  name: string;
  place?: string;
  required?: boolean;
  schema: Schema;
  text: string | undefined;
}

const rows = (properties: Row[]) =>
  properties.length > 0 &&
  html`<table>
    ${properties.map(
      ({ name, place, required, schema, text = schema.description }) =>
        html`<tr>
          <th scope="row"><code>${name}</code> <span>${place}</span></th>
          <td>${typeOf(schema)} ${!required && html`<span>optional</span>`}</td>
          <td>
            ${prose(text)}
            ${schema.default !== undefined && html`Default <code>${JSON.stringify(schema.default)}</code>.`}
          </td>
        </tr>`,
    )}
  </table>`;

function typeOf(schema: Schema): Html {
  const reference = schema.$ref?.split("/").at(-1);
  if (reference !== undefined) return html`<a href="#schema-${reference}">${reference}</a>`;
  const any = schema.anyOf ?? schema.oneOf;
  if (any !== undefined)
    return html`${any.map((each, index) => html`${index > 0 ? " or " : ""}${typeOf(each)}`)}`;
  if (schema.enum !== undefined) return html`<code>${schema.enum.join(" | ")}</code>`;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  const types = [schema.type ?? "any"].flat();
  if (schema.items !== undefined)
    return html`list of ${typeOf(schema.items)}${types.includes("null") ? " or null" : ""}`;
  if (schema.properties !== undefined)
    return html`{ <code>${Object.keys(schema.properties).join(", ")}</code> }`;
  return html`${types.join(" or ")}${schema.format === undefined ? "" : ` (${schema.format})`}`;
}
