import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A control group that limits the memory of this process. */
export interface MemoryGroup {
  readonly limitBytes: number
  /**
   * Reads the bytes in use, without the file cache that the kernel reclaims first. Returns NaN if the file cannot be
   * read.
   */
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
 * Returns the control groups that limit this process: its own group and the groups that contain it, of cgroup versions
 * 1 and 2. Above `memory.high` the kernel slows a process down, so the limit is the smaller one of `memory.max` and
 * `memory.high`. The bytes in use are the working set as the kubelet computes it: `memory.current` minus
 * `inactive_file`.
 *
 * @param root the directory that contains `/proc` and `/sys`
 * @param machineBytes the memory of the machine; a limit of at least this size is ignored
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

/**
 * Adds the groups from `path` up to the root of the mount. In a container, `path` may be the path on the host, which
 * does not exist in the container. The container's own group is then the root of the mount.
 */
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
