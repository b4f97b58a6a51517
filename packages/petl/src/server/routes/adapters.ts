import { z } from "zod";
import { jsonBody, parsedAs } from "../body.ts";
import { json, type Route } from "../route.ts";

/** Names that can stand in a URL and in a list; slashes for hub ids, colons for those that jobs give. */
const adapterName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,255}$/, "is no name of letters, digits and . _ : / -")
  .refine(
    (name) => !/(^|\/)\.{0,2}(\/|$)/.test(name),
    "has an empty part, . or .. between slashes, which no address can name",
  );

const loadRequest = z.strictObject({
  lora_name: adapterName,
  lora_path: z.string().min(1),
  /** vLLM's: loading under a name in use always replaces here */
  load_inplace: z.boolean().optional(),
});

/** Loads an adapter of any method; under a name in use it takes the other's place. */
export const loadAdapterRoute: Route = {
  verb: "POST",
  path: "/v1/load_lora_adapter",
  access: "admin",
  body: "json",
  async answer({ service: { shelf }, body }) {
    const { lora_name, lora_path } = parsedAs(loadRequest, jsonBody(body));
    const entry = await shelf.keep(lora_name, lora_path, null);
    return json({ status: "success", message: `adapter ${lora_name} is loaded`, ...entry });
  },
};

const unloadRequest = z.strictObject({ lora_name: z.string(), lora_int_id: z.int().optional() });

export const unloadAdapterRoute: Route = {
  verb: "POST",
  path: "/v1/unload_lora_adapter",
  access: "tenant",
  body: "json",
  async answer({ service: { models, shelf }, tenant, body }) {
    const { lora_name } = parsedAs(unloadRequest, jsonBody(body));
    models.owned(lora_name, tenant);
    await shelf.remove(lora_name);
    return json({ status: "success", message: `adapter ${lora_name} is unloaded` });
  },
};
