// Databases that a campaign starts for itself and kills: what they were told must be there when they are started again.
import { execFileSync, spawn } from "node:child_process";
import { chownSync, mkdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/** Ends a process and waits until it is gone. */
async function end(child) {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

const redis = {
  url: (port) => `redis://127.0.0.1:${port}`,
  prepare: (folder) => mkdir(join(folder, "redis"), { recursive: true }),
  start(folder, port) {
    const kept = ["--appendonly", "yes", "--maxmemory-policy", "noeviction", "--save", ""];
    return spawn("redis-server", ["--port", String(port), "--dir", join(folder, "redis"), ...kept], {
      stdio: "ignore",
    });
  },
  kill: end,
};

/** PostgreSQL refuses to be root's. */
const owner = () => {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" })));
  return { uid, gid };
};

const postgres = {
  url: (port) => `postgres://petl@127.0.0.1:${port}/postgres`,
  async prepare(folder) {
    const { uid, gid } = owner();
    const data = join(folder, "postgres");
    mkdirSync(data, { mode: 0o700 });
    if (uid !== undefined) chownSync(data, uid, gid);
    const bin = execFileSync("pg_config", ["--bindir"], { encoding: "utf8" }).trim();
    execFileSync(join(bin, "initdb"), ["-D", data, "-U", "petl", "--auth", "trust"], {
      uid,
      gid,
      stdio: "ignore",
      cwd: data,
    });
  },
  start(folder, port) {
    const { uid, gid } = owner();
    const data = join(folder, "postgres");
    const places = ["-D", data, "-p", String(port), "-c", `unix_socket_directories=${data}`];
    return spawn("postgres", [...places, "-c", "listen_addresses=127.0.0.1"], { uid, gid, stdio: "ignore", cwd: data });
  },
  // an immediate end: its processes go with it, and the next start recovers from the log, as behind a fall of the machine
  async kill(child) {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGQUIT");
    await gone;
  },
};

export const databases = { redis, postgres };
