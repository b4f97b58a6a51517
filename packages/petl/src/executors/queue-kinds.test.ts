import { expect, test } from "vitest";
import { queueExecutor } from "./queue-executor.ts";
import { queueKindOf, withoutSecrets } from "./queue-kinds.ts";
import { freePort, hasRedis, startRedis } from "./redis-server.fake.ts";
import { startWorker } from "./worker.ts";

test("another scheme is refused with those that there are; user and password are never told", async () => {
  await expect(queueKindOf("amqp://localhost")).rejects.toThrow(/redis:\/\/….*postgres:\/\/…/);
  expect(withoutSecrets("redis://ann:secret@host:6379/0")).toBe("redis://host:6379/0");
});

test("a worker ends although its queue is away", async () => {
  const duty = { work: async () => "done" as const, waiting: async () => [] };
  const url = `redis://127.0.0.1:${await freePort()}`;
  const working = await startWorker(url, duty, { remark: () => undefined, fault: () => undefined });
  await expect(working.end()).resolves.toBeUndefined();
});

// skipped where no redis-server is installed, which petl does not bring
test.skipIf(!hasRedis)("what is handed out while the queue is away is worked on once, when it is there", async () => {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const executor = await queueExecutor(url, () => undefined);
  await executor.hand({ kind: "job", id: "ftjob-1" });
  startRedis(port);
  const worked: string[] = [];
  const kind = await queueKindOf(url);
  let finish = () => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const reader = await kind.read(
    url,
    async ({ id }) => {
      worked.push(id);
      finish();
    },
    () => undefined,
  );
  await done;
  await reader.close();
  await executor.close();
  expect(worked).toEqual(["ftjob-1"]);
});
