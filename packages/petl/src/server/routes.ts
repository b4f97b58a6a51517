import type { Route } from "./route.ts";
import { loadAdapterRoute, unloadAdapterRoute } from "./routes/adapters.ts";
import { chatCompletions } from "./routes/chat.ts";
import { classify } from "./routes/classify.ts";
import { completions } from "./routes/completions.ts";
import { embeddings } from "./routes/embeddings.ts";
import { deleteFile, fileContent, listFiles, oneFile, uploadFile } from "./routes/files.ts";
import {
  cancelJob,
  createJob,
  jobCheckpoints,
  jobEvents,
  listJobs,
  oneJob,
  pauseJob,
  resumeJob,
} from "./routes/jobs.ts";
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
  loadAdapterRoute,
  unloadAdapterRoute,
  uploadFile,
  listFiles,
  oneFile,
  fileContent,
  deleteFile,
  createJob,
  listJobs,
  oneJob,
  cancelJob,
  pauseJob,
  resumeJob,
  jobEvents,
  jobCheckpoints,
];
