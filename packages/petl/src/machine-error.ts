import { InputError } from "@petl/core/engine";

/** The machine can't do it now: a full disk, a lost network. The command line prints the message alone and exits 1. */
export class MachineError extends Error {
  override readonly name = "MachineError";
  /** Whether the same again may do, as after a broken line. */
  readonly passing: boolean;

  constructor(
    message: string,
    { passing = false, cause }: { readonly passing?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.passing = passing;
  }
}

const machineFaults: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; make room and run the same command again",
  EDQUOT: "the disk quota is used up; make room and run the same command again",
  EAGAIN: "the system is short of something for now; run the same command again",
  EFBIG: "the file is larger than the system allows; raise the limit (ulimit -f), or choose another disk",
  EBUSY: "something else uses it; run the same command again",
  ESTALE: "the network's file system lost it; run the same command again",
  EIO: "the disk reports an input/output error; check it before you go on",
  EMFILE: "too many files are open; raise the limit (ulimit -n)",
  ENFILE: "too many files are open on this machine",
};

const pathFaults: Readonly<Record<string, string>> = {
  EACCES: "permission denied; choose another path or change its permissions",
  EPERM: "the system doesn't permit it; choose another path",
  EROFS: "the file system is read-only; choose another path",
  ENOTDIR: "a part of the path is a file, not a folder; choose another path",
  EEXIST: "a part of the path is a file, not a folder; choose another path",
  EISDIR: "it is a folder, not a file; choose another path",
  ENOENT: "it doesn't exist",
  ENAMETOOLONG: "the name is too long; choose a shorter one",
  ELOOP: "the links of the path go round in a circle",
};

/** `error.code` of a failed system call, as "ENOSPC". */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/**
 * One clear line for a failed system call: `can't write "out/adapter": the disk is full; …`. A fault of the machine is
 * a MachineError, a path that can't serve is an InputError, anything else comes back as it was.
 */
export function explainFileError(error: unknown, action: "read" | "write", path: string): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  const machineFault = machineFaults[code];
  if (machineFault) return new MachineError(`can't ${action} "${path}": ${machineFault}`, { cause: error });
  const pathFault = pathFaults[code];
  return pathFault ? new InputError(`can't ${action} "${path}": ${pathFault}`) : error;
}
