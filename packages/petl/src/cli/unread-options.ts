import type { Adapter } from "@petl/core";
import type { Terminal } from "./terminal.ts";

/** Says which options of a newer PEFT an adapter switches on, that petl does not know and passes over. */
export function tellUnread({ folder, peft }: Adapter, terminal: Terminal): void {
  for (const name of peft?.unread ?? [])
    terminal.line(
      `${folder.name}/adapter_config.json: ${name} is true, an option that petl does not know; it is ignored`,
    );
}
