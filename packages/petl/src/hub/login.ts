import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** A token is a line. */
const longest = 1000;

/**
 * The token of the user's login at the hub: HF_TOKEN, or else what `hf auth login` wrote into $HF_HOME/token.
 * One that can't be read is none, as in the Python library.
 */
export async function loginToken(): Promise<string | undefined> {
  const { HF_TOKEN, HF_TOKEN_PATH, HF_HOME, XDG_CACHE_HOME } = process.env;
  if (HF_TOKEN) return HF_TOKEN;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
  const text = await readFile(HF_TOKEN_PATH || join(home, "token"), "utf8").catch(() => "");
  const token = text.trim();
  return token === "" || token.length > longest || /\s/.test(token) ? undefined : token;
}
