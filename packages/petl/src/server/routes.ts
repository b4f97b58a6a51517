import type { Route } from "./route.ts";
import { loadAdapter, unloadAdapter } from "./routes/adapters.ts";
import { chatCompletions } from "./routes/chat.ts";
import { classify } from "./routes/classify.ts";
import { completions } from "./routes/completions.ts";
import { embeddings } from "./routes/embeddings.ts";
import { metrics } from "./routes/metrics.ts";
import { deleteModel, health, listModels, oneModel, shareModel } from "./routes/models.ts";

/** Everything that the server answers. */
export const routes: readonly Route[] = [
  health,
  metrics,
  listModels,
  oneModel,
  deleteModel,
  shareModel,
  classify,
  embeddings,
  completions,
  chatCompletions,
  loadAdapter,
  unloadAdapter,
];
