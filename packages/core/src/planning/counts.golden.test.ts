import { expect, test } from "vitest";
import { z } from "zod";
import { goldenJson } from "../checkpoints/golden.fake.ts";
import { plan } from "./plan-source.ts";

const json = z.record(z.string(), z.unknown());
const { bases, cases } = z
  .object({
    bases: z.record(z.string(), json),
    cases: z.array(
      z.object({
        base: z.string(),
        task: z.enum(["classification", "token-classification", "causal-lm"]),
        method: z.string(),
        options: json,
        trained: z.number(),
        head: z.number(),
      }),
    ),
  })
  .parse(goldenJson("counts.json"));

test.each(cases)(
  "$method on $base with $options trains as many parameters as in PEFT, apart from the head and in it",
  async ({ base, task, trained, head, ...method }) => {
    const { plans } = await plan({ config: bases[base] ?? {} }, { task, labels: 3, ...method, batch: 1, tokens: 8 });
    expect(plans).toMatchObject([{ trained_parameters: trained, head_parameters: head }]);
  },
);
