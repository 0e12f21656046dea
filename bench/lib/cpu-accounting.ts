/** CPU time of a process at one moment. */
export interface CpuReading {
  /** Nanoseconds on a core of each thread, by its id. */
  readonly threads: ReadonlyMap<string, number>
  /** User and system time of the process in ticks of 10 ms. It includes threads that have ended. */
  readonly ticks: number
}

const microsPerTick = 10_000

/**
 * Returns the CPU time of a process between two readings, in µs. It adds the exact counts of the threads, in ns. If a
 * thread has ended, its count is missing, and the function uses the ticks of the process instead.
 */
export function cpuMicrosBetween(before: CpuReading, after: CpuReading): number {
  const lost = before.threads.size === 0 || [...before.threads.keys()].some(thread => !after.threads.has(thread))
  if (lost) return (after.ticks - before.ticks) * microsPerTick
  let nanos = 0
  for (const [thread, ran] of after.threads) nanos += ran - (before.threads.get(thread) ?? 0)
  return nanos / 1000
}

/** Returns the CPU time of a thread from `/proc/<pid>/task/<tid>/schedstat`, in ns. */
export function ranNanos(schedstat: string): number {
  return Number(schedstat.split(' ')[0])
}

/**
 * Returns utime + stime from `/proc/<pid>/stat`, in ticks. The fields are counted from the last `)`, because the name
 * of the process can contain spaces and brackets.
 */
export function usedTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** Returns the bytes from a line such as `VmHWM:  1732 kB` in `/proc/<pid>/status`. */
export function statusBytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? NaN) * 1024
}

/** Returns the busy ticks of a core from `/proc/stat`: user + nice + system + steal. */
export function ranTicks(stat: string, core: number): number {
  const [user, nice, system, , , , , steal] = (new RegExp(`^cpu${core} +(.+)$`, 'm').exec(stat)?.[1] ?? '')
    .split(' ')
    .map(Number)
  return (user ?? NaN) + (nice ?? NaN) + (system ?? NaN) + (steal ?? NaN)
}

/**
 * Returns the share of a time span in which other processes used a core. It is never negative. The difference of the
 * two counts can be negative, because the CPU time of the known processes is exact and the ticks of the core are
 * sampled.
 */
export function foreignShare(coreTicks: number, ownMicros: number, elapsedMs: number): number {
  return Math.max(0, (coreTicks * microsPerTick - ownMicros) / 1000 / elapsedMs)
}
