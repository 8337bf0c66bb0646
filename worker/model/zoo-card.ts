import type { Manifest } from "./manifest.ts";
import type { ZooModel } from "./zoo.ts";

/** The card that is put beside a zoo model: where it is from, what it was measured at, how it sees, and what its scores do not say. Markdown. */
export function zooCard({ name, classes, size, top1, top5 }: ZooModel, { digest, source }: Manifest): string {
  const measured =
    top1 === null
      ? "No ImageNet-1k score: its classes are ImageNet-21K-P's."
      : `ImageNet-1k, by timm's evaluation: top-1 ${top1} %, top-5 ${top5} %.`;
  const resize =
    size === 448
      ? "squashed to 448×448, as its authors evaluate (timm crops instead; the score above is timm's)"
      : "short side to 256, then the middle 224×224";
  return `# ${name}

TResNet (arXiv 2003.13630) by Alibaba's MIIL; weights as timm publishes them in \`timm/${name}\` on the Hugging Face hub, Apache-2.0 by their card.
Built by Tresline: ${digest}; checkpoint ${source.checkpoint}.

- ${measured}
- Input: RGB in 0 to 1, no mean or standard deviation, antialiased bilinear: ${resize}.
- Labels: ${classes === 1000 ? "ImageNet-1k" : "ImageNet-21K-P (fall11), 11 221 classes"}, WordNet 3.0 lemmas.
${classes === 1000 ? "" : SEMANTIC_SOFTMAX}`;
}

const SEMANTIC_SOFTMAX = `
## What the scores are not

This model was trained with a semantic softmax: its classes lie on eleven levels of WordNet's hierarchy, and each level had a softmax of its own.
Tresline takes one softmax over all classes. That ranks them, but a score is no probability: a picture of a tench shares its score between "tench",
"fish" and "animal". Compare scores of one picture with each other, not with a threshold.
`;
