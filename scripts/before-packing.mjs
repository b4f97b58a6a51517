// Run by npm before a package is packed, in its folder. The licence stands once in the repository and once in every tarball, and
// what an earlier build left of sources that are gone is in none.
import { copyFileSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

copyFileSync(new URL("../LICENSE", import.meta.url), "LICENSE");
const built = existsSync("dist") ? readdirSync("dist", { recursive: true, encoding: "utf8" }) : [];
for (const file of built) {
  const [, path] = /^(.*?)(?:\.js|\.js\.map|\.d\.ts)$/.exec(file) ?? [];
  if (path !== undefined && !existsSync(join("src", `${path}.ts`))) rmSync(join("dist", file));
}
