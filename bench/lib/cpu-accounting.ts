/** CPU time of a process at one moment. */
export interface CpuReading {
  /** Nanoseconds on a core of each thread, by its id. */
  readonly threads: ReadonlyMap<string, number>
  /** User and system time of the process, threads that have ended included, in ticks of 10 ms. */
  readonly ticks: number
}

const microsPerTick = 10_000

/**
 * Returns the CPU time of a process between two readings, in µs. It is exact to the nanosecond by the counts of its
 * threads, unless a thread has ended and its count is gone.
 */
export function cpuMicrosBetween(before: CpuReading, after: CpuReading): number {
  const lost = before.threads.size === 0 || [...before.threads.keys()].some(thread => !after.threads.has(thread))
  if (lost) return (after.ticks - before.ticks) * microsPerTick
  let nanos = 0
  for (const [thread, ran] of after.threads) nanos += ran - (before.threads.get(thread) ?? 0)
  return nanos / 1000
}

/** Nanoseconds on a core, of `/proc/<pid>/task/<tid>/schedstat`. */
export function ranNanos(schedstat: string): number {
  return Number(schedstat.split(' ')[0])
}

/** utime + stime of `/proc/<pid>/stat`, in ticks. The name of the process, in brackets, may have anything in it. */
export function usedTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** Bytes of a line like `VmHWM:  1732 kB` of `/proc/<pid>/status`. */
export function statusBytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? NaN) * 1024
}

/** Ticks that a core ran processes, of `/proc/stat`: user, nice, system, and what the machine underneath took away. */
export function ranTicks(stat: string, core: number): number {
  const [user, nice, system, , , , , steal] = (new RegExp(`^cpu${core} +(.+)$`, 'm').exec(stat)?.[1] ?? '')
    .split(' ')
    .map(Number)
  return (user ?? NaN) + (nice ?? NaN) + (system ?? NaN) + (steal ?? NaN)
}

/**
 * The share of a span that a core spent on others than the processes that are known, whose CPU time is exact where that
 * of the core is sampled.
 */
export function foreignShare(coreTicks: number, ownMicros: number, elapsedMs: number): number {
  return Math.max(0, (coreTicks * microsPerTick - ownMicros) / 1000 / elapsedMs)
}
