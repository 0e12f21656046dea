import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { ranNanos, ranTicks, statusBytes, usedTicks } from './cpu-accounting.ts'
import type { CpuReading } from './cpu-accounting.ts'

/** True if this machine has `/proc`. */
export const accounted = existsSync('/proc/self/stat') && existsSync('/proc/self/clear_refs')

/** Returns the CPU time that a process has used. */
export function readCpu(pid: number): CpuReading {
  const threads = new Map<string, number>()
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      threads.set(thread, ranNanos(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')))
  } catch {
    // The kernel has no scheduling statistics, or the thread has just ended.
    threads.clear()
  }
  return { threads, ticks: usedTicks(readFileSync(`/proc/${pid}/stat`, 'utf8')) }
}

/** Returns the resident memory of a process, and its peak since `forgetPeak`. */
export function readMemory(pid: number): { readonly residentBytes: number; readonly peakBytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return { residentBytes: statusBytes(status, 'VmRSS'), peakBytes: statusBytes(status, 'VmHWM') }
}

/** Resets the peak of the resident memory of a process to its current value. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** Returns the busy ticks of a core. */
export function readCore(core: number): number {
  return ranTicks(readFileSync('/proc/stat', 'utf8'), core)
}
