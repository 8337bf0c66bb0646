import { html } from "hono/html";
import { ERROR_KINDS } from "../shared/contracts/error.ts";
import type { OpenapiDocument } from "./openapi.ts";

/** The parts of a JSON schema that the page shows. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  parameters?: { in: string; name: string; required?: boolean; description?: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
  responses: Record<string, { description: string; content?: Record<string, { schema?: Schema }> }>;
}

type Html = ReturnType<typeof html>;

/** The reference as one page without script, made of the OpenAPI document; every error code has a place that a problem's `type` points to. */
export function docsPage({ info, paths, components }: OpenapiDocument): Html {
  const operations = Object.entries(paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({
      method,
      path,
      operation,
    })),
  );
  const schemas = Object.entries((components?.schemas ?? {}) as Record<string, Schema>);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title} API</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <header>
          <h1>${info.title} API</h1>
          <p>${info.description}</p>
          <p>
            Send <code>Authorization: Bearer &lt;API key&gt;</code> with every request under <code>/v1</code>.
            For programs: <a href="/openapi.json">openapi.json</a>.
          </p>
        </header>
        <nav aria-label="Operations">
          ${operations.map(({ method, path, operation }) => html`<a href="#${operation.operationId}">${route(method, path)}</a>`)}
        </nav>
        <main>
          ${operations.map(operationSection)}
          <h2 id="schemas">Schemas</h2>
          ${schemas.map(([name, schema]) => schemaSection(name, schema))}
          <h2 id="errors">Error codes</h2>
          <p>
            An error answers <code>application/problem+json</code> (RFC 9457); programs branch on its
            <code>code</code>.
          </p>
          <dl>
            ${Object.entries(ERROR_KINDS).map(
              ([code, { status, title }]) =>
                html`<dt id="${code}"><code>${code}</code> ${status}</dt>
                  <dd>${title}.</dd>`,
            )}
          </dl>
        </main>
      </body>
    </html>`;
}

const route = (method: string, path: string) =>
  html`<code><b class="${method}">${method.toUpperCase()}</b> ${path}</code>`;

function operationSection({
  method,
  path,
  operation,
}: {
  method: string;
  path: string;
  operation: Operation;
}): Html {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  return html`<section id="${operationId}">
    <h2>${summary}</h2>
    <p>${route(method, path)}</p>
    ${description && html`<p>${description}</p>`}
    ${parameters.length > 0 && rows(parameters.map(({ name, in: place, required, schema, description: text }) => ({ name: `${name} (${place})`, required, schema, text: text ?? schema.description })))}
    ${requestBody && html`<p>Body: ${contents(requestBody.content)}</p>`}
    <dl>
      ${Object.entries(responses).map(
        ([status, response]) =>
          html`<dt>${status}</dt>
            <dd>${response.description} ${contents(response.content)}</dd>`,
      )}
    </dl>
  </section>`;
}

const contents = (content: Record<string, { schema?: Schema }> = {}) =>
  Object.entries(content).map(
    ([type, { schema }]) =>
      html`<span class="content"><code>${type}</code> ${schema && typeOf(schema)}</span> `,
  );

function schemaSection(name: string, schema: Schema): Html {
  const properties = Object.entries(schema.properties ?? {}).map(([key, value]) => ({
    name: key,
    required: schema.required?.includes(key),
    schema: value,
    text: value.description,
  }));
  return html`<section id="schema-${name}">
    <h3>${name}</h3>
    ${schema.description && html`<p>${schema.description}</p>`}
    ${properties.length > 0 ? rows(properties) : html`<p>${typeOf(schema)}</p>`}
  </section>`;
}

interface Row {
  name: string;
  required: boolean | undefined;
  schema: Schema;
  text: string | undefined;
}

const rows = (properties: Row[]) =>
  html`<table>
    ${properties.map(
      ({ name, required, schema, text }) =>
        html`<tr>
          <th scope="row"><code>${name}</code></th>
          <td>${typeOf(schema)}${!required && html` <i>optional</i>`}</td>
          <td>
            ${text}${schema.default !== undefined && html` Default <code>${JSON.stringify(schema.default)}</code>.`}
          </td>
        </tr>`,
    )}
  </table>`;

function typeOf(schema: Schema): Html {
  const name = schema.$ref?.split("/").at(-1);
  if (name !== undefined) return html`<a href="#schema-${name}">${name}</a>`;
  const any = schema.anyOf ?? schema.oneOf;
  if (any !== undefined)
    return html`${any.map((each, index) => html`${index > 0 ? " or " : ""}${typeOf(each)}`)}`;
  if (schema.enum !== undefined) return html`<code>${schema.enum.join(" | ")}</code>`;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.items !== undefined) return html`list of ${typeOf(schema.items)}`;
  if (schema.properties !== undefined) return html`{ ${Object.keys(schema.properties).join(", ")} }`;
  return html`${[schema.type ?? "any"].flat().join(" or ")}`;
}

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d8dde3, #3a4048); --soft: light-dark(#5b6570, #9aa5b1); --link: light-dark(#0b5cad, #7cb8f5) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem 1.25rem 4rem }
code { font: 0.9em ui-monospace, monospace }
a { color: var(--link) }
nav { display: grid; gap: 0.25rem; padding: 1rem; border: 1px solid var(--line); border-radius: 8px }
nav a { text-decoration: none }
section { border-top: 1px solid var(--line); margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.75rem 0.35rem 0; border-bottom: 1px solid var(--line); font-weight: normal; overflow-wrap: anywhere }
i, .content { color: var(--soft) }
dt { font-weight: 600; margin-top: 0.5rem; scroll-margin-top: 1rem }
dt:target, section:target h2, section:target h3 { background: light-dark(#fff3bf, #4a3f10) }
b.post { color: light-dark(#1d7a3c, #6fd08c) } b.get { color: var(--link) }
`;
