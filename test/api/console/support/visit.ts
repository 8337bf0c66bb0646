import { expect } from "vitest";
import { API_KEY, PUBLIC_URL } from "../../support/test-api.ts";
import type { TestApi } from "../../support/test-api.ts";

/** An answer of the console: its page without script and style, and where it sends the browser on to. */
export interface Visited {
  status: number;
  headers: Headers;
  text: string;
  location: string | null;
}

/** Who has signed in: asks for pages and sends forms as a browser does. */
export interface Visitor {
  cookie: string;
  get: (path: string, headers?: Record<string, string>) => Promise<Visited>;
  /** Sends a form; files make it one of several parts. */
  post: (
    path: string,
    fields?: Record<string, string | File | readonly (string | File)[]>,
    headers?: Record<string, string>,
  ) => Promise<Visited>;
}

/** Signs in to the console with a key. Every page that the visitor is then answered is held to what all pages must be. */
export async function visit(api: TestApi, key = API_KEY): Promise<Visitor> {
  const answer = await api.app.request("/console/sign-in", {
    method: "POST",
    headers: { origin: PUBLIC_URL },
    body: new URLSearchParams({ key }),
  });
  expect(answer.status).toBe(303);
  const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
  const ask = async (
    path: string,
    more: Record<string, string>,
    init: Omit<RequestInit, "headers"> = {},
  ): Promise<Visited> => {
    const response = await api.app.request(path, { ...init, headers: { cookie, ...more } });
    const { status, headers } = response;
    const text = await response.text();
    if (headers.get("content-type")?.startsWith("text/html") && text.startsWith("<!doctype"))
      checkPage(headers, text);
    return { status, headers, text: withoutScriptAndStyle(text), location: headers.get("location") };
  };
  return {
    cookie,
    get: (path, headers = {}) => ask(path, headers),
    async post(path, fields = {}, headers = {}) {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields))
        for (const each of [value].flat()) form.append(name, each);
      const texts = [...form].flatMap(([name, value]) =>
        typeof value === "string" ? [[name, value] as const] : [],
      );
      const body =
        texts.length < [...form].length ? form : new URLSearchParams(texts.map(([...pair]) => pair));
      return ask(path, { origin: PUBLIC_URL, ...headers }, { method: "POST", body });
    },
  };
}

/** What every page of the console is: nothing in it runs or is styled that its policy does not name, and it has one title. */
export function checkPage(headers: Headers, text: string): void {
  const policy = headers.get("content-security-policy") ?? "";
  const nonce = /script-src 'nonce-([^']+)'; style-src 'nonce-\1';/.exec(policy)?.[1];
  expect(nonce, policy).toMatch(/^[A-Za-z0-9+/=]{22,}$/);
  expect(policy).toMatch(
    /^default-src 'none';.* form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
  );
  expect(policy).not.toContain("unsafe");
  for (const [tag] of text.matchAll(/<(?:script|style)\b[^>]*>/g)) expect(tag).toContain(` nonce="${nonce}"`);
  expect(withoutScriptAndStyle(text)).not.toMatch(/<[^>]*\s(?:style|on\w+)\s*=/i);
  expect(text.match(/<h1>/g)).toHaveLength(1);
  expect(text).toMatch(/<html lang="en">/);
  expect(withoutScriptAndStyle(text)).not.toMatch(/\bundefined\b|\[object |\bNaN\b/);
  expect(headers.get("cache-control")).toBe("no-store");
}

const withoutScriptAndStyle = (text: string) => text.replaceAll(/<(script|style)\b[^]*?<\/\1>/g, "");
