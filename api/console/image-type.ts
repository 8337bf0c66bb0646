/** What the first bytes of the kinds of images look like that a browser shows, as Latin-1: https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern, and AVIF. */
const BEGINNINGS: readonly (readonly [type: string, beginning: RegExp])[] = [
  ["image/jpeg", /^\xff\xd8\xff/],
  ["image/png", /^\x89PNG\r\n/],
  ["image/gif", /^GIF8[79]a/],
  ["image/webp", /^RIFF[^]{4}WEBPVP/],
  ["image/avif", /^[^]{4}ftypavi[fs]/],
];

/** Bytes that are looked at. */
const LENGTH = 16;

/** The type of an image by its first bytes; undefined for what is none that a browser shows, such as SVG, which may run a script. */
export function imageType(bytes: Uint8Array): string | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, LENGTH));
  return BEGINNINGS.find(([, beginning]) => beginning.test(text))?.[0];
}
