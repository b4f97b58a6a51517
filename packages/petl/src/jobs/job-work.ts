import { join } from "node:path";
import type { TaskOf, Work } from "../executors/task.ts";
import { workOn } from "./attempt.ts";
import { jobFolders, openJobFolder } from "./job-folder.ts";

type JobTask = TaskOf<"job">;

/** Where the jobs of those that share a folder are. */
export const jobsIn = (shared: string): string => join(shared, "jobs");

/** Works at jobs of a shared folder; one that is not there has nothing to be done. */
export const sharedJobs =
  (shared: string, begin: (id: string) => void = () => undefined): Work<JobTask> =>
  async ({ id }, signal) => {
    const job = await openJobFolder(jobsIn(shared), id);
    if (!job) return "gone";
    begin(id);
    return workOn(shared, job, signal);
  };

/** The jobs of a shared folder that nobody works at. */
export async function waitingJobs(shared: string): Promise<readonly JobTask[]> {
  const tasks: JobTask[] = [];
  for (const job of await jobFolders(jobsIn(shared)))
    if ((await job.state()) === "queued") tasks.push({ kind: "job", id: job.record.id });
  return tasks;
}
