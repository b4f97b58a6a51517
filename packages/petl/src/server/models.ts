import { basename, resolve } from "node:path";
import type { Bank } from "../library/bank.ts";
import { HttpError, noSuch } from "./http-error.ts";
import type { Tenant } from "./keys.ts";

/** Something that can be asked by its name. */
interface ServedModel {
  readonly id: string;
  /** seconds since 1970 */
  readonly created: number;
  /** the tenant whose it is; null: the admin's; a base belongs to everybody */
  readonly owner: string | null;
  /** the adapter's name in the bank; null: the base as it is */
  readonly adapter: string | null;
  /** the tenants that may ask it beside its owner */
  readonly shared: readonly string[] | "all";
}

/** The models that are served, by name. */
export interface Models {
  readonly base: string;
  /** What a tenant may ask, the base first. */
  seenBy(tenant: Tenant): readonly ServedModel[];
  /** @throws HttpError 404 for what is not there or not the tenant's to ask */
  asked(id: string, tenant: Tenant): ServedModel;
  /** @throws HttpError 404 for what is not there or not the tenant's own */
  owned(id: string, tenant: Tenant): ServedModel;
  /** @throws HttpError 409 for the base's name */
  add(id: string, owner: string | null, created?: number): ServedModel;
  share(id: string, shared: readonly string[] | "all"): void;
  remove(id: string): void;
  /** How many adapters a tenant has. */
  count(owner: string): number;
}

/** The name under which a base is served: a hub id or a bundled name as it is, of a folder the last part. */
export const baseModelName = (name: string, isFolder: boolean): string => (isFolder ? basename(resolve(name)) : name);

export function openModels(base: string, started: number): Models {
  const plain: ServedModel = { id: base, created: started, owner: null, adapter: null, shared: "all" };
  const byId = new Map<string, ServedModel>([[base, plain]]);
  const owns = (tenant: Tenant, { owner, adapter }: ServedModel) =>
    adapter !== null && (owner === null ? tenant.admin : owner === tenant.name);
  const asks = (tenant: Tenant, model: ServedModel) =>
    model.shared === "all" || model.shared.includes(tenant.name) || owns(tenant, model);
  const found = (id: string, allowed: (model: ServedModel) => boolean): ServedModel => {
    const model = byId.get(id);
    if (!model || !allowed(model)) throw noSuch("model");
    return model;
  };
  return {
    base,
    seenBy: (tenant) => [...byId.values()].filter((model) => asks(tenant, model)),
    asked: (id, tenant) => found(id, (model) => asks(tenant, model)),
    owned: (id, tenant) => found(id, (model) => owns(tenant, model)),
    add(id, owner, created = Math.floor(Date.now() / 1000)) {
      if (id === base) throw new HttpError(409, "that is the base's name; choose another one", { param: "lora_name" });
      const shared = byId.get(id)?.shared ?? [];
      const model: ServedModel = { id, created, owner, adapter: id, shared };
      byId.set(id, model);
      return model;
    },
    share(id, shared) {
      const model = byId.get(id);
      if (model) byId.set(id, { ...model, shared });
    },
    remove: (id) => void byId.delete(id),
    count: (owner) => [...byId.values()].filter((model) => model.owner === owner && model.adapter !== null).length,
  };
}

/** OpenAI's shape of a model; an adapter has its base as `parent`. */
export const modelObject = (
  { id, created, owner, adapter }: ServedModel,
  { base }: Models,
): Readonly<Record<string, unknown>> => ({
  id,
  object: "model",
  created,
  owned_by: owner ?? "petl",
  ...(adapter !== null && { parent: base, root: base }),
});

/** The model that a tenant names, as the bank has it. */
export const bankNameOf = (models: Models, id: string, tenant: Tenant): Parameters<Bank["model"]>[0] =>
  models.asked(id, tenant).adapter;
