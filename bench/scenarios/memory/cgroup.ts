import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A control group that limits the memory of the processes in it. */
export interface MemoryCgroup {
  /** The command that moves itself into the group and then replaces itself by the command in its arguments. */
  readonly prefix: readonly string[]
  /** Returns the highest memory use of the group, page cache included, and the processes that the limit has killed. */
  read(): { readonly peakBytes: number; readonly kills: number }
  /** Removes the group. Its processes must have ended. */
  remove(): void
}

/** The names of the files of a memory controller. */
interface Controller {
  readonly root: string
  readonly limit: string
  /** The file that limits the swap space, and its value for a limit of the memory. */
  readonly swap: readonly [file: string, value: (limitBytes: number) => string]
  readonly peak: string
  /** The file with the line `oom_kill N`. */
  readonly kills: string
}

const v2: Controller = {
  root: '/sys/fs/cgroup',
  limit: 'memory.max',
  swap: ['memory.swap.max', () => '0'],
  peak: 'memory.peak',
  kills: 'memory.events',
}
const v1: Controller = {
  root: '/sys/fs/cgroup/memory',
  limit: 'memory.limit_in_bytes',
  // In version 1 this file limits the sum of memory and swap space.
  swap: ['memory.memsw.limit_in_bytes', String],
  peak: 'memory.max_usage_in_bytes',
  kills: 'memory.oom_control',
}

/** Creates a control group with a memory limit. Throws if the system does not permit it. */
export function createMemoryCgroup(limitBytes: number): MemoryCgroup {
  const controller = existsSync(join(v2.root, 'cgroup.controllers')) ? v2 : v1
  const folder = join(controller.root, `headwaters-bench-${process.pid}`)
  mkdirSync(folder)
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  try {
    writeFileSync(join(folder, controller.limit), String(limitBytes))
    const [swap, value] = controller.swap
    if (existsSync(join(folder, swap))) writeFileSync(join(folder, swap), value(limitBytes))
    read(controller.peak)
  } catch (error) {
    rmdirSync(folder)
    throw error
  }
  return {
    prefix: ['sh', '-c', 'echo $$ > "$0" && exec "$@"', join(folder, 'cgroup.procs')],
    read: () => ({ peakBytes: Number(read(controller.peak)), kills: oomKills(read(controller.kills)) }),
    remove: () => rmdirSync(folder),
  }
}

/** Returns the number of kills from the content of `memory.events` or `memory.oom_control`. */
export function oomKills(text: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0)
}
