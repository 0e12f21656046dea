import { lstatSync, readlinkSync } from 'node:fs'
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
    const entry = entryAt(next)
    if (entry !== 'other') folders.add(folder)
    // Rights that a folder gets again are an event of the folder above it: what cannot be read is not watched.
    if (entry === 'hidden') folders.add(dirname(folder))
    if (entry === 'missing' || entry === 'hidden') return
    if (entry !== 'other' && links > 0)
      return walk(resolve(folder, entry.target, ...names.slice(index + 1)), folders, links - 1)
    folder = next
  }
  folders.add(dirname(path))
}

/**
 * Reads what is at a path: the target of a symbolic link, `other` for a file or a folder, `hidden` if the folder cannot
 * be searched, and `missing` if there is nothing, also for a path that goes on below a file.
 */
function entryAt(path: string): { readonly target: string } | 'other' | 'missing' | 'hidden' {
  try {
    return lstatSync(path).isSymbolicLink() ? { target: readlinkSync(path) } : 'other'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'hidden' : 'missing'
  }
}
