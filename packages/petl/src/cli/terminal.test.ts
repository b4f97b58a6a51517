import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { downloadLine, duration, openTerminal, runLine, type TerminalOptions } from "./terminal.ts";

afterEach(() => vi.unstubAllEnvs());

/** A terminal whose clock and output are ours. */
function recorded(stream: { isTTY?: boolean; columns?: number }, options: TerminalOptions = {}) {
  const clock = { time: 0, written: "" };
  const write = (text: string) => {
    clock.written += text;
  };
  const terminal = openTerminal({ stream: { ...stream, write }, now: () => clock.time, ...options });
  return { clock, terminal };
}

test("a line tells what is known and leaves out what isn't", () => {
  expect(runLine({ step: 120, steps: 1000, loss: 0.43121, tokensPerSecond: 5210.4, secondsLeft: 125 })).toBe(
    "step 120/1000  loss 0.4312  5,210 tokens/s  2:05 left",
  );
  expect(runLine({ step: 3 })).toBe("step 3");
  expect(runLine({ step: 3, loss: Number.NaN })).toBe("step 3  loss NaN");
  expect(downloadLine({ file: "model.safetensors", received: 12_300_000, size: 268_100_000 })).toBe(
    "model.safetensors  12.3/268.1 MB  4%",
  );
});

test.each([
  [7, "0:07"],
  [59.6, "1:00"],
  [725, "12:05"],
  [3723, "1:02:03"],
  [-1, "0:00"],
  [Number.POSITIVE_INFINITY, "?"],
])("%s seconds are %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test("off a TTY there are plain lines without escapes, one in five seconds, and the last one at the end", () => {
  const { clock, terminal } = recorded({});
  for (let step = 1; step <= 8; step++) {
    terminal.progress({ step });
    clock.time += 1000;
  }
  terminal.done();
  terminal.done();
  expect(clock.written).toBe("step 1\nstep 6\nstep 8\n");
});

test("on a TTY progress stays on one line, no wider than the terminal, ten times a second", () => {
  const { clock, terminal } = recorded({ isTTY: true, columns: 8 }, { color: false });
  for (let step = 1; step <= 3; step++) {
    terminal.progress({ step: step * 1000 });
    clock.time += 60;
  }
  expect(clock.written).toBe("\r\x1b[Kstep 10\r\x1b[Kstep 30");
  terminal.line("saved");
  terminal.done();
  expect(clock.written.endsWith("\r\x1b[Ksaved\n")).toBe(true);
});

test("NO_COLOR takes the colours away", () => {
  vi.stubEnv("NO_COLOR", "1");
  const plain = recorded({ isTTY: true });
  plain.terminal.progress({ step: 1 });
  expect(plain.clock.written).toBe("\r\x1b[Kstep 1");
  vi.stubEnv("NO_COLOR", "");
  const coloured = recorded({ isTTY: true });
  coloured.terminal.progress({ step: 1 });
  expect(coloured.clock.written).toBe("\r\x1b[K\x1b[2mstep 1\x1b[22m");
});

test("no text brings control characters to the terminal", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "\x1b", "[2J", "\x07", "\r", "\u202e", "\x9b", "]0;") }),
      (text) => {
        const { clock, terminal } = recorded({});
        terminal.line(text);
        terminal.progress({ file: text, received: 0, size: 0 });
        expect(clock.written).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
      },
    ),
  );
});

test("everything goes to stderr", () => {
  const stdout = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const terminal = openTerminal();
  terminal.line("a");
  terminal.progress({ step: 1 });
  terminal.done();
  const [toStdout, toStderr] = [stdout.mock.calls.length, stderr.mock.calls.length];
  stdout.mockRestore();
  stderr.mockRestore();
  expect(toStdout).toBe(0);
  expect(toStderr).toBeGreaterThan(0);
});
