import { z } from "zod";
import { jsonBody, parsedAs } from "../body.ts";
import { HttpError } from "../http-error.ts";
import { modelObject } from "../models.ts";
import { json, type Route } from "../route.ts";

/** Whether the server answers. */
export const health: Route = {
  verb: "GET",
  path: "/health",
  access: "all",
  body: "none",
  answer: async () => json({ status: "ok" }),
};

/** What can be asked: the base and adapters. */
export const listModels: Route = {
  verb: "GET",
  path: "/v1/models",
  access: "tenant",
  body: "none",
  async answer({ service: { models }, tenant }) {
    return json({ object: "list", data: models.seenBy(tenant).map((model) => modelObject(model, models)) });
  },
};

export const oneModel: Route = {
  verb: "GET",
  path: "/v1/models/{id}",
  access: "tenant",
  body: "none",
  answer: async ({ service: { models }, tenant, params: { id = "" } }) =>
    json(modelObject(models.asked(id, tenant), models)),
};

export const deleteModel: Route = {
  verb: "DELETE",
  path: "/v1/models/{id}",
  access: "tenant",
  body: "none",
  async answer({ service, tenant, params: { id = "" } }) {
    service.models.owned(id, tenant);
    await service.shelf.remove(id);
    return json({ id, object: "model", deleted: true });
  },
};

const shareRequest = z.strictObject({ tenants: z.union([z.literal("all"), z.array(z.string())]) });

/** Lets other tenants ask an adapter of the admin's. */
export const shareModel: Route = {
  verb: "POST",
  path: "/v1/models/{id}/share",
  access: "admin",
  body: "json",
  async answer({ service: { models, keys, shelf }, tenant, params: { id = "" }, body }) {
    models.owned(id, tenant);
    const { tenants } = parsedAs(shareRequest, jsonBody(body));
    const unknown = tenants === "all" ? [] : tenants.filter((name) => !keys.names.includes(name));
    if (unknown.length > 0)
      throw new HttpError(400, `there is no tenant ${unknown.map((name) => JSON.stringify(name)).join(", ")}`, {
        param: "tenants",
      });
    await shelf.share(id, tenants);
    return json({ id, object: "model.share", tenants });
  },
};
