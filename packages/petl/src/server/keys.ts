import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { InputError, parsedJson, schemaProblems } from "@petl/core";
import { z } from "zod";
import { explainFileError } from "../machine-error.ts";

const limits = z.strictObject({
  /** a minute */
  requests_per_minute: z.int().positive().optional(),
  tokens_per_minute: z.int().positive().optional(),
  /** unfinished at once */
  jobs: z.int().nonnegative().optional(),
  /** kept at once */
  adapters: z.int().nonnegative().optional(),
  /** of all files */
  bytes: z.int().nonnegative().optional(),
});
export type Limits = Readonly<z.infer<typeof limits>>;

const keysFile = z.strictObject({
  tenants: z.array(
    z.strictObject({
      name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "is no name of letters, digits, dots and hyphens"),
      key_sha256: z.string().regex(/^[0-9a-f]{64}$/, "is no SHA-256 in lower-case hexadecimal (64 digits)"),
      admin: z.boolean().default(false),
      limits: limits.default({}),
    }),
  ),
});

/** Who asks. */
export interface Tenant {
  readonly name: string;
  readonly admin: boolean;
  readonly limits: Limits;
}

/** Whose keys are known. */
export interface Keys {
  /** The tenant of an Authorization header; undefined where it names none. */
  tenantOf(authorization: string | undefined): Tenant | undefined;
  readonly names: readonly string[];
}

/** Without keys everybody is the owner of the machine. */
export const openKeys: Keys = {
  tenantOf: () => ({ name: "local", admin: true, limits: {} }),
  names: [],
};

/** @throws InputError that names the file and what is wrong in it */
export async function readKeys(path: string): Promise<Keys> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw explainFileError(error, "read", path);
  });
  const parsed = keysFile.safeParse(parsedJson(text));
  if (!parsed.success) throw new InputError(schemaProblems(parsed.error.issues, `${path}: `));
  const { tenants } = parsed.data;
  const problems = [...repeated(tenants.map(({ name }) => name)), ...repeated(tenants.map((each) => each.key_sha256))];
  if (problems.length > 0) throw new InputError(problems.map((twice) => `${path}: "${twice}" stands there twice`));
  const known = tenants.map(({ key_sha256, ...tenant }) => ({ tenant, digest: Buffer.from(key_sha256, "hex") }));
  return {
    names: tenants.map(({ name }) => name),
    tenantOf(authorization) {
      const key = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
      if (key === undefined) return undefined;
      const digest = createHash("sha256").update(Buffer.from(key, "latin1")).digest();
      let found: Tenant | undefined;
      for (const each of known) if (timingSafeEqual(each.digest, digest)) found = each.tenant; // all are compared
      return found;
    },
  };
}

const repeated = (all: readonly string[]): readonly string[] => [
  ...new Set(all.filter((each, at) => all.indexOf(each) !== at)),
];
