import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A control group that limits the memory of this process. */
export interface MemoryGroup {
  readonly limitBytes: number
  /** Reads the bytes in use, without the file cache that the kernel gives up first. NaN where it cannot be read. */
  usedBytes(): number
}

interface Version {
  readonly mount: string
  readonly limits: readonly string[]
  readonly use: string
  readonly cache: RegExp
}

const second: Version = {
  mount: '',
  limits: ['memory.max', 'memory.high'],
  use: 'memory.current',
  cache: /^inactive_file (\d+)$/m,
}
const first: Version = {
  mount: 'memory',
  limits: ['memory.limit_in_bytes'],
  use: 'memory.usage_in_bytes',
  cache: /^total_inactive_file (\d+)$/m,
}

/**
 * Finds the control groups that limit this process: its own and those around it, of version 2 and of version 1. From
 * `memory.high` on the kernel slows a process down, so the lower one of `memory.max` and `memory.high` is the limit.
 * What is in use is counted as the kubelet counts its working set: `memory.current` less `inactive_file`.
 *
 * @param root where `/proc` and `/sys` are
 * @param machineBytes a limit of at least this much is no limit
 */
export function memoryGroups(root: string, machineBytes: number): MemoryGroup[] {
  const groups: MemoryGroup[] = []
  for (const line of (read(join(root, 'proc/self/cgroup')) ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) continue
    if (controllers === '') addGroups(groups, root, second, path, machineBytes)
    else if (controllers.split(',').includes('memory')) addGroups(groups, root, first, path, machineBytes)
  }
  return groups
}

/** A container may see the path of its host, which is not there for it: its own group is then the root of the mount. */
function addGroups(
  groups: MemoryGroup[],
  root: string,
  { mount, limits, use, cache }: Version,
  path: string,
  machineBytes: number,
): void {
  const names = path.split('/').filter(name => name !== '')
  for (let depth = names.length; depth >= 0; depth--) {
    const folder = join(root, 'sys/fs/cgroup', mount, ...names.slice(0, depth))
    const limitBytes = Math.min(...limits.map(name => bytesOf(read(join(folder, name)))))
    if (!(limitBytes < machineBytes)) continue
    groups.push({
      limitBytes,
      usedBytes() {
        const used = Number.parseInt(read(join(folder, use)) ?? '', 10)
        return used - Number(cache.exec(read(join(folder, 'memory.stat')) ?? '')?.[1] ?? 0)
      },
    })
  }
}

/** Returns a limit in bytes. `max` and a missing file mean no limit, which is `Infinity`. */
function bytesOf(text: string | undefined): number {
  const bytes = Number.parseInt(text ?? '', 10)
  return bytes > 0 ? bytes : Infinity
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
