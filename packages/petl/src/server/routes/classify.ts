import { heads, type Label, type Answer as LabelAnswer, objectiveOf } from "@petl/core";
import { z } from "zod";
import type { BankText } from "../../library/bank.ts";
import { jsonBody, parsedAs } from "../body.ts";
import { HttpError, possible } from "../http-error.ts";
import { bankNameOf } from "../models.ts";
import { json, type Route } from "../route.ts";
import { inTurns, note } from "../service.ts";
import { countTokens, mostInputs } from "./inputs.ts";

const request = z.strictObject({
  model: z.string(),
  /** a text, texts, or pairs of texts: `["a", "b"]` are two texts, `[["a", "b"]]` is one pair */
  input: z.union([
    z.string(),
    z.array(z.string()).min(1).max(mostInputs),
    z
      .array(z.tuple([z.string(), z.string()]))
      .min(1)
      .max(mostInputs),
  ]),
  user: z.string().optional(),
});

/** A row's label; of any number of labels all that it has, and the likeliest as `label`; null beside a regression's number. */
function labelsOf({ label, labels }: LabelAnswer, names: readonly Label[], probs: readonly number[]) {
  if (labels === undefined) return { label: label ?? null };
  return { label: names[probs.indexOf(Math.max(...probs))], labels };
}

/** What a model with labels says of texts. */
export const classify: Route = {
  verb: "POST",
  path: "/v1/classify",
  access: "tenant",
  body: "json",
  async answer({ service, tenant, body, signal }) {
    const { model: id, input } = parsedAs(request, jsonBody(body));
    const { bank, models, gate, maxBatch } = service;
    const name = bankNameOf(models, id, tenant);
    const model = await possible(() => bank.model(name));
    const { task } = model.adapted.goal;
    if (heads[objectiveOf(task).head].of !== "text")
      throw new HttpError(422, `${id} is for ${task}, and gives whole texts no labels`, { param: "model" });
    const texts = typeof input === "string" ? [input] : input;
    const rows = texts.map((text): BankText => {
      if (typeof text === "string") return { adapter: model, text };
      return { adapter: model, text: text[0], textPair: text[1] };
    });
    const answers = await gate.through(Math.min(rows.length, maxBatch), () =>
      inTurns(rows, maxBatch, (some) => bank.predict(some), signal),
    );
    const tokens = countTokens(model, rows);
    note(service, tenant, tokens, 0, rows.length);
    const data = answers.map((answer, index) => {
      const { score, scores } = answer;
      const probs = scores === undefined ? [score] : model.labels.map((label) => scores[String(label)] ?? 0);
      return { index, ...labelsOf(answer, model.labels, probs), probs, num_classes: probs.length };
    });
    const usage = { prompt_tokens: tokens, total_tokens: tokens, completion_tokens: 0 };
    return json({ object: "list", model: id, data, usage });
  },
};
