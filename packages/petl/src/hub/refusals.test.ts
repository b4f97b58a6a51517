import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "@petl/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MachineError } from "../machine-error.ts";
import { openTrial, sha256, type Trial, weights } from "./hub.fake.ts";
import { goesDirect } from "./proxy.ts";

let trial: Trial;
beforeEach(async () => {
  trial = await openTrial();
  for (const name of [
    "HF_HUB_OFFLINE",
    "HF_TOKEN",
    "HF_ENDPOINT",
    "HF_TOKEN_PATH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
  ])
    vi.stubEnv(name, "");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await trial.close();
});

describe("tokens", () => {
  test("the token goes to the hub and not to the host that large files are redirected to", async () => {
    trial.hub.intercept = (request, response) => {
      if (!request.url?.endsWith("model.safetensors")) return false;
      response.writeHead(302, { location: `${trial.cdn.endpoint}${request.url}` }).end();
      return true;
    };
    await trial.resolve({ token: "secret" });
    expect(trial.hub.requests.map(({ authorization }) => authorization)).toEqual(
      trial.hub.requests.map(() => "Bearer secret"),
    );
    expect(trial.cdn.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
    expect(readFileSync(join(trial.snapshot, "model.safetensors")).equals(weights)).toBe(true);
  });

  test("the next page of a listing on another host is asked for without the token", async () => {
    trial.hub.intercept = (request, response) => {
      if (!request.url?.includes("/tree/")) return false;
      response.setHeader("link", `<${trial.cdn.endpoint}${request.url}>; rel="next"`).end("[]");
      return true;
    };
    await trial.resolve({ token: "secret" });
    expect(trial.cdn.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test("what the login wrote into $HF_HOME/token is the token", async () => {
    writeFileSync(join(trial.root, "token"), "secret\n");
    vi.stubEnv("HF_HOME", trial.root);
    await trial.resolve();
    expect(trial.hub.requests[0]?.authorization).toBe("Bearer secret");
  });

  test.each(["https://user:secret@hub", "https://hub?key=secret", "ftp://a:secret@hub", "https://secret@hub /x"])(
    "no message tells the secret of the address %s",
    async (endpoint) => {
      const fails = trial.resolve({ endpoint });
      await expect(fails).rejects.toThrow(/check HF_ENDPOINT/);
      await expect(fails).rejects.not.toThrow(/secret/);
    },
  );

  test("the proxy that the environment names is asked, without a warning, but for hosts that it is not for", async () => {
    const warn = vi.spyOn(process, "emitWarning");
    vi.stubEnv("HTTP_PROXY", trial.cdn.endpoint);
    const asked = trial.resolve({ endpoint: "http://hub.invalid" });
    await expect(asked).rejects.toThrow(MachineError);
    await expect(asked).rejects.not.toThrow(/ENOTFOUND/);
    vi.stubEnv("NO_PROXY", "localhost, .invalid");
    await expect(trial.resolve({ endpoint: "http://hub.invalid" })).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
    expect(warn).not.toHaveBeenCalled();
  });

  test.each([
    ["https://hub.example/x", "example", true],
    ["https://hub.example/x", "*.example", true],
    ["https://hub.example/x", "hub.example:8080 other", false],
    ["https://hub.example:8080/x", "hub.example:8080", true],
    ["http://hub.example/x", "hub.example:80", true],
    ["https://anotherexample/x", "example", false],
    ["https://hub.example/x", "*", true],
    ["https://hub.example/x", "", false],
  ])("%s beside no_proxy %j goes directly: %s", (url, list, direct) => {
    expect(goesDirect(new URL(url), list)).toBe(direct);
  });

  test("no message tells the token", async () => {
    trial.hub.intercept = (_, response) => {
      response.writeHead(401).end("secret");
      return true;
    };
    const fails = trial.resolve({ token: "secret" });
    await expect(fails).rejects.toThrow(/refuses the token .*HF_TOKEN$/);
    await expect(fails).rejects.not.toThrow(/secret/);
  });
});

describe("refusals are one line that says what to do", () => {
  const answering = (status: number, code?: string) => {
    trial.hub.intercept = (_, response) => {
      response.writeHead(status, code ? { "x-error-code": code } : {}).end('{"error":"x"}');
      return true;
    };
  };

  test.each<[number, string | undefined, string | undefined, typeof InputError | typeof MachineError, RegExp]>([
    [404, "RepoNotFound", undefined, InputError, /has no model "owner\/name" .*spelling.*HF_TOKEN/],
    [401, "RepoNotFound", undefined, InputError, /has no model "owner\/name"/],
    [401, undefined, undefined, InputError, /has no model "owner\/name"/],
    [404, "RevisionNotFound", undefined, InputError, /has no revision "main"/],
    [401, "GatedRepo", undefined, InputError, /accept them at http.*\/owner\/name, and set HF_TOKEN/],
    [403, "GatedRepo", "t", InputError, /accept them at http.*\/owner\/name, with the account of the token/],
    [500, undefined, undefined, MachineError, /overloaded or out of order \(status 500\)/],
    [418, undefined, undefined, MachineError, /answered with status 418/],
  ])("status %s %s", async (status, code, token, kind, message) => {
    answering(status, code);
    const fails = trial.resolve(token ? { token } : {});
    await expect(fails).rejects.toThrow(kind);
    await expect(fails).rejects.toThrow(message);
    await expect(fails).rejects.toHaveProperty("message", expect.not.stringContaining("\n"));
  });

  test("a gated repository shows its listing and refuses its files", async () => {
    trial.hub.intercept = (request, response) => {
      if (!request.url?.includes("/resolve/")) return false;
      response.writeHead(401, { "x-error-code": "GatedRepo" }).end();
      return true;
    };
    await expect(trial.resolve()).rejects.toThrow(/terms are accepted/);
  });

  test("no network", async () => {
    await expect(trial.resolve({ endpoint: "http://127.0.0.1:1" })).rejects.toThrow(MachineError);
    await expect(trial.resolve({ endpoint: "http://127.0.0.1:1" })).rejects.toThrow(/can't reach .*`offline`/);
  });

  test("a silent hub", async () => {
    trial.hub.intercept = () => true;
    await expect(trial.resolve({ timeout: 50 })).rejects.toThrow(/can't reach .* \(no answer in time\)/);
  });

  test("a page that is no answer of a hub", async () => {
    trial.hub.intercept = (_, response) => {
      response.end("<html>please log in</html>");
      return true;
    };
    await expect(trial.resolve()).rejects.toThrow(/gave no answer of a hub/);
  });

  test("an address that is none", async () => {
    await expect(trial.resolve({ endpoint: "huggingface.co" })).rejects.toThrow(/no http or https address/);
  });

  test("pickled weights alone are refused by name", async () => {
    trial.hub.files = { "config.json": Buffer.from("{}"), "pytorch_model.bin": Buffer.from("x") };
    await expect(trial.resolve()).rejects.toThrow(/has no model.safetensors .*; pytorch_model.bin can run code/);
    expect(existsSync(trial.cacheDir)).toBe(false);
  });
});

describe("hostile hubs", () => {
  test("a file larger than the disk is refused before a byte of it comes", async () => {
    trial.hub.listing = (entries) =>
      entries.map((entry) => (entry.lfs ? { ...entry, lfs: { ...entry.lfs, size: 2 ** 52 } } : entry));
    await expect(trial.resolve()).rejects.toThrow(/"model.safetensors" needs 4503599627370496 more bytes/);
  });

  test("an answer that has no end, and a listing that has none, are given up", async () => {
    trial.hub.intercept = (request, response) => {
      if (!request.url?.includes("/revision/")) return false;
      response.end(" ".repeat(2 ** 25 + 1));
      return true;
    };
    await expect(trial.resolve()).rejects.toThrow(/has more than 33554432 bytes; refused/);
    trial.hub.intercept = (request, response) => {
      if (!request.url?.includes("/tree/")) return false;
      response.setHeader("link", `<${trial.hub.endpoint}${request.url}>; rel="next"`).end("[]");
      return true;
    };
    await expect(trial.resolve()).rejects.toThrow(/has more than 200 pages; refused/);
  });

  test("an answer that falls silent behind its headers is a broken line", async () => {
    trial.hub.intercept = (_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).write("{");
      return true;
    };
    await expect(trial.resolve({ timeout: 50 })).rejects.toThrow(/can't reach .* \(no answer in time\)/);
  });

  test("what a download had begun is not followed through a link", async () => {
    const blobs = join(trial.cacheDir, "models--owner--name/blobs");
    const elsewhere = join(trial.root, "elsewhere");
    mkdirSync(blobs, { recursive: true });
    writeFileSync(elsewhere, "untouched");
    symlinkSync(elsewhere, join(blobs, `${sha256(weights)}.incomplete`));
    await trial.resolve();
    expect(readFileSync(elsewhere, "utf8")).toBe("untouched");
    expect(readFileSync(join(trial.snapshot, "model.safetensors")).equals(weights)).toBe(true);
  });

  test.each(["../../evil", "..", "a/b", "/etc/x", "a\\b", "a\0b"])(
    "a listing with %j is refused whole",
    async (path) => {
      trial.hub.listing = (entries) => [...entries, { type: "file", path, size: 1, oid: "0".repeat(40) }];
      await expect(trial.resolve()).rejects.toThrow(/the listing of "owner\/name" holds the file name/);
      expect(existsSync(trial.cacheDir)).toBe(false);
    },
  );

  test("a hash that is a path is refused", async () => {
    trial.hub.listing = (entries) => entries.map((entry) => ({ ...entry, oid: "../../../evil" }));
    await expect(trial.resolve()).rejects.toThrow(/gave no answer of a hub/);
    expect(existsSync(trial.cacheDir)).toBe(false);
  });

  test.each(["../../evil.safetensors", "a/b.safetensors", "model.bin", "absent.safetensors"])(
    "an index that names the shard %j is refused",
    async (shard) => {
      trial.hub.files = {
        "config.json": Buffer.from("{}"),
        "model.safetensors.index.json": Buffer.from(JSON.stringify({ weight_map: { a: shard } })),
      };
      await expect(trial.resolve()).rejects.toThrow(InputError);
      expect(existsSync(join(trial.cacheDir, "models--owner--name/refs"))).toBe(false);
    },
  );

  test("a commit that is a path is refused", async () => {
    trial.hub.intercept = (request, response) => {
      if (!request.url?.includes("/revision/")) return false;
      response.end(JSON.stringify({ sha: "../../evil" }));
      return true;
    };
    await expect(trial.resolve()).rejects.toThrow(/gave no answer of a hub/);
  });
});
