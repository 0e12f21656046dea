import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { ranNanos, ranTicks, statusBytes, usedTicks } from './cpu-accounting.ts'
import type { CpuReading } from './cpu-accounting.ts'

/** True when this machine has `/proc`. */
export const accounted = existsSync('/proc/self/stat') && existsSync('/proc/self/clear_refs')

/** The CPU time that a process has used. */
export function readCpu(pid: number): CpuReading {
  const threads = new Map<string, number>()
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      threads.set(thread, ranNanos(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')))
  } catch {
    // A kernel without scheduling statistics, or a thread that has just ended.
    threads.clear()
  }
  return { threads, ticks: usedTicks(readFileSync(`/proc/${pid}/stat`, 'utf8')) }
}

/** Returns the resident memory of a process, and its peak since `forgetPeak`. */
export function readMemory(pid: number): { readonly residentBytes: number; readonly peakBytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return { residentBytes: statusBytes(status, 'VmRSS'), peakBytes: statusBytes(status, 'VmHWM') }
}

/** Makes what a process has resident now its peak. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** Ticks that a core ran processes. */
export function readCore(core: number): number {
  return ranTicks(readFileSync('/proc/stat', 'utf8'), core)
}
