import { expect, test } from "vitest";
import { ApiConfig, listenUrl } from "../../api/config.ts";
import { readConfig } from "../../shared/config.ts";

const API_KEY = "a-key-of-the-config-test";

test("an IPv6 address stands in brackets where a URL needs them", () => {
  expect(listenUrl({ HOST: "::1", PORT: 8080 })).toBe("http://[::1]:8080");
  expect(listenUrl({ HOST: "127.0.0.1", PORT: 8080 })).toBe("http://127.0.0.1:8080");
});

test("a public URL loses its last slash, so that links have one between their parts", () => {
  const { PUBLIC_URL } = readConfig(ApiConfig, { API_KEY, PUBLIC_URL: "https://example.com/tresline//" });
  expect(PUBLIC_URL).toBe("https://example.com/tresline");
});
