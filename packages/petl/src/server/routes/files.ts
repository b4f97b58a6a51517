import { fileObject } from "../file-store.ts";
import { HttpError, noSuch } from "../http-error.ts";
import { formParts } from "../multipart.ts";
import { pageOf } from "../pages.ts";
import { json, type Route } from "../route.ts";

/** Takes a file of rows. */
export const uploadFile: Route = {
  verb: "POST",
  path: "/v1/files",
  access: "tenant",
  body: "file",
  async answer({ service: { files }, tenant, headers, body }) {
    const parts = formParts(headers["content-type"], body);
    const purpose = parts.find(({ name }) => name === "purpose")?.content.toString("utf8");
    const file = parts.find(({ name }) => name === "file");
    if (purpose !== "fine-tune")
      throw new HttpError(400, `the purpose ${JSON.stringify(purpose ?? null)} is not "fine-tune"`, {
        param: "purpose",
      });
    if (!file) throw new HttpError(400, "the form has no part named file", { param: "file" });
    if (file.content.length === 0) throw new HttpError(400, "the file is empty", { param: "file" });
    const { name: owner, limits } = tenant;
    const kept = { owner, filename: file.filename ?? "file.jsonl", purpose, content: file.content } as const;
    return json(fileObject(await files.put(kept, limits.bytes)));
  },
};

export const listFiles: Route = {
  verb: "GET",
  path: "/v1/files",
  access: "tenant",
  body: "none",
  async answer({ service: { files }, tenant, query }) {
    const purpose = query.get("purpose");
    const all = files.ownedBy(tenant).filter((file) => purpose === null || file.purpose === purpose);
    const newest = query.get("order") === "asc" ? all : [...all].reverse();
    return json(
      pageOf(
        newest.map((file) => ({ id: file.id, ...fileObject(file) })),
        query,
        () => noSuch("file"),
        10_000,
      ),
    );
  },
};

export const oneFile: Route = {
  verb: "GET",
  path: "/v1/files/{id}",
  access: "tenant",
  body: "none",
  answer: async ({ service: { files }, tenant, params: { id = "" } }) => json(fileObject(files.owned(id, tenant))),
};

/** A file's bytes as they came. */
export const fileContent: Route = {
  verb: "GET",
  path: "/v1/files/{id}/content",
  access: "tenant",
  body: "none",
  async answer({ service: { files }, tenant, params: { id = "" } }) {
    const file = files.owned(id, tenant);
    return { kind: "bytes", type: "application/octet-stream", bytes: files.contentOf(file) };
  },
};

export const deleteFile: Route = {
  verb: "DELETE",
  path: "/v1/files/{id}",
  access: "tenant",
  body: "none",
  async answer({ service: { files, jobs }, tenant, params: { id = "" } }) {
    const file = files.owned(id, tenant);
    if (await jobs.uses(id)) throw new HttpError(409, "a job that has not ended needs this file");
    await files.remove(file);
    return json({ id, object: "file", deleted: true });
  },
};
