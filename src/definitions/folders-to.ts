import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, join, parse, resolve, sep } from 'node:path'

/** The most symbolic links that are followed, as Linux has it (`path_resolution(7)`). */
const mostLinks = 40

/**
 * Returns the folders in which a change can alter what a path leads to: the folder of the file, that of each symbolic
 * link on the way, and, where the way ends early, the last folder that exists.
 */
export function foldersTo(path: string): ReadonlySet<string> {
  const folders = new Set<string>()
  walk(resolve(path), folders, mostLinks)
  return folders
}

function walk(path: string, folders: Set<string>, links: number): void {
  const { root } = parse(path)
  const names = path.slice(root.length).split(sep)
  let folder = root
  for (const [index, name] of names.entries()) {
    const next = join(folder, name)
    const stats = statsOf(next)
    if (stats === undefined || stats.isSymbolicLink()) folders.add(folder)
    if (stats === undefined) return
    if (stats.isSymbolicLink() && links > 0)
      return walk(resolve(folder, readlinkSync(next), ...names.slice(index + 1)), folders, links - 1)
    folder = next
  }
  folders.add(dirname(path))
}

/** Returns `undefined` for a path that does not exist, also for one that goes on below a file. */
function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}
