import { z } from "zod";
import { jsonBody, parsedAs } from "../body.ts";
import { HttpError, possible } from "../http-error.ts";
import { bankNameOf } from "../models.ts";
import { json, type Route } from "../route.ts";
import { inTurns, note } from "../service.ts";
import { countTokens, mostInputs } from "./inputs.ts";

const request = z.strictObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string()).min(1).max(mostInputs)]),
  encoding_format: z.enum(["float", "base64"]).default("float"),
  /** only the size that the model has */
  dimensions: z.int().positive().optional(),
  user: z.string().optional(),
});

/** Vectors of texts. */
export const embeddings: Route = {
  verb: "POST",
  path: "/v1/embeddings",
  access: "tenant",
  body: "json",
  async answer({ service, tenant, body, signal }) {
    const { model: id, input, encoding_format, dimensions } = parsedAs(request, jsonBody(body));
    const { bank, models, gate, maxBatch } = service;
    const name = bankNameOf(models, id, tenant);
    const adapter = name === null ? null : await possible(() => bank.model(name));
    const { hidden } = bank.base.model.sizes;
    if (dimensions !== undefined && dimensions !== hidden)
      throw new HttpError(400, `vectors of ${id} have ${hidden} dimensions`, { param: "dimensions" });
    const texts = typeof input === "string" ? [input] : input;
    if (texts.includes("")) {
      const place = typeof input === "string" ? "input" : `input[${texts.indexOf("")}]`;
      throw new HttpError(400, `${place} is an empty text`, { param: "input" });
    }
    const rows = texts.map((text) => ({ adapter, text }));
    const vectors = await gate.through(Math.min(rows.length, maxBatch), () =>
      inTurns(rows, maxBatch, (some) => bank.embed(some), signal),
    );
    const tokens = countTokens(bank, rows);
    note(service, tenant, tokens, 0, rows.length);
    const data = vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: encoding_format === "base64" ? base64(vector) : Array.from(vector),
    }));
    return json({ object: "list", data, model: id, usage: { prompt_tokens: tokens, total_tokens: tokens } });
  },
};

/** float32, little-endian */
function base64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [at, value] of vector.entries()) bytes.writeFloatLE(value, at * 4);
  return bytes.toString("base64");
}
