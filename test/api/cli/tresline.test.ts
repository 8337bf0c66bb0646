import { expect, test } from "vitest";
import { COMMANDS, COMMON_HELP, HELP } from "../../../api/cli/commands.ts";
import { linesOf, runTresline } from "./run-tresline.ts";

const TRESLINE_API_KEY = "some-key-0123456789";
const here = (text: string) => text.split(" ").filter((word) => word !== "");

test.concurrent.each([
  ["frobnicate", "frobnicate is no command. See tresline --help."],
  ["batch", "batch takes one of create, status, results, cancel, retry. See tresline --help."],
  ["batch frobnicate", "batch takes one of create,"],
  ["classify", "classify needs the files or addresses of images. See tresline classify --help."],
  ["classify a.png --top-k few", '--top-k must be a whole number from 1 to 1000; it is "few".'],
  ["classify a.png --threshold -1", "--threshold"],
  ["classify a.png --url localhost:8080", 'must begin with http:// or https://; it is "localhost:8080".'],
  ["status", "status needs the id"],
  ["status 17", "17 is no id"],
  [
    "batch create",
    "needs one of --items, --prefix, --manifest and --inventory. See tresline batch create --help.",
  ],
  ["batch create --items nowhere.jsonl", "The file cannot be read: ENOENT"],
  ["batch create --items a --prefix s3://b/c", "needs one of"],
  ["batch create --items a --suffix .jpg", "--suffix goes with --prefix or --inventory."],
  ["batch create --prefix photos", '--prefix must be an address such as s3://bucket/key; it is "photos".'],
  ["batch create --prefix s3://b --format xls", '--format must be csv or parquet; it is "xls".'],
  ["batch create photos", "takes options only; it was given photos."],
  ["batch results", "batch results takes one id, which begins with bat_."],
  ["batch results bat_1 --format xls", '--format must be jsonl, csv, parquet; it is "xls".'],
  ["batch cancel lbl_1", "cancel takes one id, which begins with cls_, bat_ or run_."],
  ["labeler create", "labeler create takes one address, such as s3://photos/2026/."],
  ["labeler create photos", "The place must be an address such as s3://bucket/key"],
  ["labeler create s3://a --write-back xmp", '--write-back must be tags or sidecar or none; it is "xmp".'],
  ["labeler run bat_1", "labeler run takes one id, which begins with lbl_."],
  ["labeler run lbl_1 --rate fast", '--rate must be a number such as 0.5; it is "fast".'],
  ["cancel", "cancel takes one id, which begins with cls_, bat_ or run_."],
  ["models all", "models takes options only."],
  ["webhooks create", "webhooks create takes one address."],
  ["webhooks create http://a --event batch.done", "--event must be one of classification.succeeded"],
  ["webhooks list all", "webhooks list takes options only."],
  ["webhooks test msg_1", "webhooks test takes one id, which begins with whe_."],
  ["webhooks attempts", "webhooks attempts takes one id, which begins with whe_."],
  ["webhooks resend whe_1", "webhooks resend takes one id, which begins with msg_."],
  ["webhooks recover whe_1", "--since must be a time such as 2026-11-22T12:00:00Z; it is missing."],
  ["webhooks recover whe_1 --since lately", 'such as 2026-11-22T12:00:00Z; it is "lately".'],
  [
    "webhooks rotate whe_1 --overlap-hours soon",
    '--overlap-hours must be a number such as 0.5; it is "soon".',
  ],
  ["listen here", "listen takes options only."],
  ["listen --port 0", "--port must be a whole number from 1 to 65535"],
  ["listen --forward localhost:3000", "--forward must be an http or https address"],
  ["bench localhost:8080", "must begin with http:// or https://"],
  ["bench http://a http://b", "bench takes one address; it was also given http://b."],
  ["bench --rate 0", "--rate must be a whole number from 1 to"],
  ["bench --rate 10000 --seconds 11", "more than 100000 images"],
  ["bench --batch 10001", "--batch must be a whole number from 1 to 10000"],
  ["bench --batch 1 --rate 1", "neither --rate nor --seconds"],
  [
    "bench --image nowhere.png",
    "The file cannot be read: ENOENT: no such file or directory, open 'nowhere.png'",
  ],
  ["bench --image Makefile", "says no image format"],
  ["bench --fast", "--fast"],
])("%s: refused in a line that points to the help", async (args, said) => {
  const { code, out, err } = await runTresline(here(args), { TRESLINE_API_KEY });
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(said);
  expect(err).toMatch(/^tresline: .* See tresline .*--help\.\n$/);
});

test("a missing key is told before anything is sent", async () => {
  const { code, err } = await runTresline(["status", "bat_1"], {});
  expect(code).toBe(2);
  expect(err).toMatch(/^tresline: The API key is missing: give --key or set TRESLINE_API_KEY\. /);
});

test.each([
  [["status", "bat_1", "--url", "http://127.0.0.1:1"], {}],
  [["status", "bat_1"], { TRESLINE_URL: "http://127.0.0.1:1" }],
  [["bench", "http://127.0.0.1:1"], {}],
])("a service that is away is one line: %j %j", async (args, env) => {
  const { code, out, err } = await runTresline(args, { TRESLINE_API_KEY, ...env });
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(linesOf(err).at(-1)).toMatch(/^tresline: http:\/\/127\.0\.0\.1:1 cannot be reached: .*\.$/);
  expect(err).not.toMatch(/^\s+at /m);
});

test.each(Object.keys(COMMANDS))("the help of tresline %s fits a terminal of 80 columns", async (name) => {
  const help = (await COMMANDS[name]?.())?.help ?? "";
  expect(help).toMatch(/^Usage: tresline /);
  expect(linesOf(help + HELP + COMMON_HELP).filter((line) => line.length > 80)).toEqual([]);
});

test("a command's help is printed with the options of all commands", async () => {
  const { code, out, err } = await runTresline(["batch", "create", "--items", "a", "--help"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toBe(`${(await COMMANDS["batch create"]?.())?.help}${COMMON_HELP}`);
});

test("the help names every command", async () => {
  const { out } = await runTresline([]);
  expect(Object.keys(COMMANDS).filter((name) => !out.includes(`\n  ${name} `))).toEqual([]);
});
