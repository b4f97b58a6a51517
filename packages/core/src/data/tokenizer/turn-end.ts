import { InputError } from "../../errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What no template writes by itself. */
const answer = "petl's own answer";

/**
 * The token that a chat template puts behind what the assistant says, as `<|im_end|>`; undefined where there is no
 * template, or none that writes such a token. A model that was tuned on conversations ends its turns with it, whatever its
 * configuration says of the end of a text.
 */
export function turnEnd({ chatTemplate, idsOf, addedIds }: Tokenizer): number | undefined {
  if (!chatTemplate) return undefined;
  const turns = [
    { role: "user", content: "a question" },
    { role: "assistant", content: answer },
  ];
  const [id] = idsOf(textBehind(() => chatTemplate(turns)).trimStart());
  return id !== undefined && addedIds.has(id) ? id : undefined;
}

/** What is written behind the answer; nothing where the template refuses such a conversation. */
function textBehind(write: () => string): string {
  try {
    const text = write();
    const at = text.lastIndexOf(answer);
    return at < 0 ? "" : text.slice(at + answer.length);
  } catch (error) {
    if (error instanceof InputError) return "";
    throw error;
  }
}
