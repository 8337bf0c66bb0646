/** File systems take names of up to 255 bytes; room is left for the marks. */
const MAX_NAME = 240;

/** Ends the name of a folder whose content carries the same segment on. `%+` never comes out of percent-encoding. */
const CARRIED_ON = "%+";

/**
 * A key as the names of folders and, last, of a file: readable (`results/a.json` stays as it is), reversible, and never
 * outside the root. Each segment is percent-encoded and cut into pieces that a file system takes. S3 holds both `a` and
 * `a/b`, so that files and folders must not share a name: a file without a dot and a folder with one get a final `%`.
 */
export function pathOfKey(key: string): string[] {
  const segments = encodeKey(key).split("/");
  return segments.flatMap((segment, at) => {
    const pieces = segment.match(new RegExp(`.{1,${MAX_NAME}}`, "g")) ?? [];
    const isFile = at === segments.length - 1;
    return pieces.map((piece, i) => {
      if (i < pieces.length - 1) return piece + CARRIED_ON;
      return piece.includes(".") === isFile ? piece : `${piece}%`;
    });
  });
}

/** The percent-encoded text that a folder adds to the keys of everything in it. */
export function encodedFolder(name: string): string {
  return name.endsWith(CARRIED_ON) ? name.slice(0, -CARRIED_ON.length) : `${withoutMark(name)}/`;
}

/** The percent-encoded text that a file ends its key with. */
export function encodedFile(name: string): string {
  return withoutMark(name);
}

/** Percent-encodes a key, or the beginning of one: the encoding of a beginning is the beginning of the encoding. */
export function encodeKey(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}

/** The key that was encoded. */
export function decodeKey(encoded: string): string {
  return encoded.split("/").map(decodeURIComponent).join("/");
}

function withoutMark(name: string): string {
  return name.endsWith("%") ? name.slice(0, -1) : name;
}
