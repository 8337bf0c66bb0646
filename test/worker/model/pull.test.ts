import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensureDemoModel } from "../../../worker/model/demo.ts";
import { openModelDir } from "../../../worker/model/model-dir.ts";
import { zooCard } from "../../../worker/model/zoo-card.ts";
import { zooModel } from "../../../worker/model/zoo.ts";
import { file, serve } from "./file-server.ts";
import { fixture } from "./read-tensors.ts";
import { tresline, treslineWith } from "./run-cli.ts";
import { temporaryDir } from "./temporary-dir.ts";
import { writeCheckpoint } from "./write-checkpoint.ts";

test("pull NAME fetches from the hub that HF_ENDPOINT names and builds with the model's labels and preprocessing", async () => {
  const dir = temporaryDir();
  const leakySlopes = { stem: 1e-2, blocks: 1e-3 };
  const checkpoint = join(dir, "checkpoint.safetensors");
  writeCheckpoint(checkpoint, {
    layers: [1, 1, 1, 1],
    widthFactor: 0.125,
    v2: false,
    numClasses: 1000,
    head: "linear",
    leakySlopes,
  });
  const bytes = readFileSync(checkpoint);
  const { url, paths } = await serve(file(bytes));
  const env = { HF_ENDPOINT: `${url}/`, MODELS_DIR: join(dir, "models") };
  const { code, err, out } = await treslineWith(
    env,
    "pull",
    "tresnet_l.miil_in1k_448",
    "--precision",
    "fp16",
  );
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(/^precision +fp16$/m);
  expect(paths).toEqual(["/timm/tresnet_l.miil_in1k_448/resolve/main/model.safetensors"]);
  const { manifest, labels } = openModelDir(join(dir, "models/tresnet_l.miil_in1k_448"));
  expect([labels.length, labels[0]]).toEqual([1000, "tench, Tinca tinca"]);
  expect(manifest).toMatchObject({ labels_from: "config", preprocess: { crop_mode: "squash" } });
  const card = readFileSync(join(dir, "models/tresnet_l.miil_in1k_448/MODEL_CARD.md"), "utf8");
  expect(card).toContain("top-1 82.278 %");
  expect(card).not.toContain("semantic softmax");
  expect(manifest.source.checkpoint).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
});

test("the card of an ImageNet-21K-P model says that its scores are no probabilities", () => {
  const manifest = openModelDir(ensureDemoModel("figures", temporaryDir())).manifest;
  expect(zooCard(zooModel("tresnet_m.miil_in21k"), manifest)).toMatch(
    /semantic softmax[^]*a score is no probability/,
  );
  expect(zooCard(zooModel("tresnet_m"), manifest)).toMatch(
    /^# tresnet_m\.miil_in21k_ft_in1k\n[^]*top-1 83\.09 %/,
  );
});

test("pull --from takes a file or any URL, and the hash in torch hub's file names is checked", async () => {
  const dir = temporaryDir();
  const bytes = readFileSync(fixture("golden/tiny_s.legacy_nonzip.pth"));
  const hash = createHash("sha256").update(bytes).digest("hex");
  const { url } = await serve(file(bytes));
  const out = join(dir, "tiny");
  expect((await tresline("pull", "--from", `${url}/tiny-${hash.slice(0, 8)}.pth`, "--out", out)).err).toBe(
    "",
  );
  expect(openModelDir(out).manifest.num_classes).toBe(10);
  expect((await tresline("pull", "--from", fixture("golden/tiny_s.filt.pth"), "--out", out)).err).toBe("");

  for (const [args, message] of [
    [
      ["--from", `${url}/tiny-00000000.pth`, "--out", join(dir, "no")],
      /00000000 expected; the file was deleted/,
    ],
    [
      ["--from", fixture("golden/tiny_s.filt.pth"), "--out", join(dir, "no"), "--sha256", "00000000"],
      /00000000 expected/,
    ],
    [["--from", join(dir, "nothing.pth"), "--out", join(dir, "no")], /no such file/],
    [["tresnet_xxl"], /tresnet_xxl: no such model; see tresline-model list/],
    [["--from", "https://", "--out", join(dir, "no")], /not a URL/],
    [[], /pull needs one NAME or --from/],
  ] as const) {
    const { code, err } = await tresline("pull", ...args);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  }
  expect(existsSync(join(dir, "no"))).toBe(false);
});
