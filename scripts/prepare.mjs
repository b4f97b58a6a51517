// Installs and builds what a fresh clone lacks, so that `npm test` and `npm run demo` work by themselves.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const npm = process.platform === "win32" ? "npm.cmd" : "npm";

function step(name, args) {
  process.stderr.write(`petl: ${name} …\n`);
  const { status } = spawnSync(npm, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(`${root}/node_modules/typescript`)) step("installing", ["ci"]);
step("building", ["run", "--silent", "build"]);
