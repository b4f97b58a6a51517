/** Loaded in front of a job's training: it ends, with a checkpoint, once the process that started it is gone. */
process.once("disconnect", () => process.kill(process.pid, "SIGINT"));
process.channel?.unref();
