import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { onTestFinished } from "vitest";

/** Whether a Redis server is installed, which petl does not bring: tests that need one are skipped without. */
export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

/** Starts a Redis server that keeps nothing and ends with the test. */
export function startRedis(port: number): void {
  const server = spawn("redis-server", ["--port", String(port), "--save", "", "--appendonly", "no"], {
    stdio: "ignore",
  });
  onTestFinished(() => void server.kill("SIGKILL"));
}
