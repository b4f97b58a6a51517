import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { testFolder } from "../library/open-tiny.fake.ts";
import { openAllowances } from "./allowance.ts";
import { readBody } from "./body.ts";
import { openFileStore } from "./file-store.ts";
import { openGate } from "./gate.ts";
import { findRoutes } from "./route.ts";
import { routes } from "./routes.ts";

/** A request whose body is still to come. */
function request(headers: Record<string, string> = {}): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  Object.assign(message.headers, headers);
  return message;
}

test("a body that does not come whole is 408, one that grows too large ends at the limit with 413", async () => {
  const late = request();
  late.push("{");
  await expect(readBody(late, { bytes: 100, milliseconds: 20 })).rejects.toMatchObject({ status: 408 });
  const large = request();
  const read = readBody(large, { bytes: 100, milliseconds: 10_000 });
  for (let piece = 0; piece < 3; piece++) large.push("x".repeat(50));
  await expect(read).rejects.toMatchObject({ status: 413 });
  const whole = request();
  whole.push("{}");
  whole.push(null);
  expect((await readBody(whole, { bytes: 100, milliseconds: 10_000 })).toString()).toBe("{}");
});

test("what comes on top of a full gate is sent away with 429 and whole seconds, and what leaves makes room, once", async () => {
  const gate = openGate(4);
  const [first, second] = [gate.enter(2), gate.enter(2)];
  let refused: unknown;
  try {
    gate.enter(1);
  } catch (error) {
    refused = error;
  }
  expect(refused).toMatchObject({
    status: 429,
    details: { headers: { "retry-after": expect.stringMatching(/^[1-9]\d*$/) } },
  });
  first();
  first();
  expect(gate.inside()).toBe(2);
  expect(await gate.through(2, async () => gate.inside())).toBe(4);
  second();
  gate.enter(100)(); // what is larger than the gate has it for itself
  expect(gate.inside()).toBe(0);
});

test("a tenant's minute fills up steadily, and tokens count against the requests behind them", () => {
  let now = 0;
  const allowances = openAllowances(() => now);
  const tenant = { name: "ann", admin: false, limits: { requests_per_minute: 2, tokens_per_minute: 60 } };
  const refused = { status: 429 };
  const ask = () => {
    try {
      allowances.request(tenant);
      return "answered";
    } catch (error) {
      return error;
    }
  };
  expect([ask(), ask()]).toEqual(["answered", "answered"]);
  expect(ask()).toMatchObject(refused);
  now = 30_000; // one request more
  expect(ask()).toBe("answered");
  allowances.tokens(tenant, 100);
  now = 60_000;
  expect(ask()).toMatchObject(refused);
  now = 130_000;
  expect(ask()).toBe("answered");
});

test("files that come at once are together no larger than the tenant's limit", async () => {
  const files = await openFileStore(testFolder());
  const file = { owner: "ann", filename: "rows.csv", purpose: "fine-tune", content: new Uint8Array(30) } as const;
  const came = await Promise.allSettled(Array.from({ length: 6 }, () => files.put(file, 100)));
  expect(came.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  expect(files.ownedBy({ name: "ann", admin: false, limits: {} })).toHaveLength(3);
  await files.put({ ...file, content: new Uint8Array(10) }, 100); // what was refused takes no room
});

test("a name with slashes is found in front of what follows it, escaped or not", () => {
  const of = (verb: string, path: string) => {
    const found = findRoutes(routes, path);
    const route = found?.routes.find((each) => each.verb === verb);
    return route && [route.path, found?.params.id];
  };
  expect(of("POST", "/v1/models/org/name/share")).toEqual(["/v1/models/{id}/share", "org/name"]);
  expect(of("POST", "/v1/models/org%2Fname/share")).toEqual(["/v1/models/{id}/share", "org/name"]);
  expect(of("GET", "/v1/models/org/name")).toEqual(["/v1/models/{id}", "org/name"]);
  expect(of("DELETE", "/v1/models/ft:org/name::1")).toEqual(["/v1/models/{id}", "ft:org/name::1"]);
  expect(of("GET", "/v1/models/")).toBeUndefined();
  expect(of("GET", "//")).toBeUndefined();
});
