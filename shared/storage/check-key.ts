/** The longest key in bytes of UTF-8: S3's own limit. */
const MAX_KEY_BYTES = 1024;

/**
 * Throws unless a key is one that every kind of storage takes: 1 to 1024 bytes of well-formed Unicode without control
 * characters and backslashes, in segments parted by single `/`, none of them empty, `.` or `..`.
 */
export function checkKey(key: string): void {
  const fault = faultOf(key);
  if (fault) throw new Error(`The storage key ${JSON.stringify(key.slice(0, 200))} ${fault}.`);
}

function faultOf(key: string): string | undefined {
  if (!key.isWellFormed()) return "is not well-formed Unicode";
  if (new TextEncoder().encode(key).length > MAX_KEY_BYTES) return `is longer than ${MAX_KEY_BYTES} bytes`;
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f\ufffe\uffff\\]/.test(key)) return "has a control character or a backslash";
  if (key.split("/").includes("")) return "is empty or has an empty segment";
  if (key.split("/").some((segment) => segment === "." || segment === "..")) {
    return "has a segment that is . or ..";
  }
  return undefined;
}
