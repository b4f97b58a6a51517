/** Loaded in front of a child's work: it is told to end, as by Ctrl-C, once the process that started it is gone. */
process.once("disconnect", () => process.kill(process.pid, "SIGINT"));
process.channel?.unref();
