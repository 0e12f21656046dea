import { lstatSync, readlinkSync } from 'node:fs'
import { dirname, join, parse, resolve, sep } from 'node:path'

/** The maximum number of symbolic links to follow. Linux has the same limit (`path_resolution(7)`). */
const mostLinks = 40

/**
 * Returns the folders in which a change can change the file at a path:
 *
 * - the folder of the file
 * - the folder of each symbolic link in the path
 * - if a part of the path does not exist, the last folder that exists
 * - if a folder cannot be searched, that folder and its parent
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
    // The folder cannot be searched, so it may not be watchable. A change of its permissions is an event in its parent.
    if (entry === 'hidden') folders.add(dirname(folder))
    if (entry === 'missing' || entry === 'hidden') return
    if (entry !== 'other' && links > 0)
      return walk(resolve(folder, entry.target, ...names.slice(index + 1)), folders, links - 1)
    folder = next
  }
  folders.add(dirname(path))
}

/**
 * Returns the kind of a path: the target of a symbolic link, `other` for a file or a folder, `hidden` if its folder
 * cannot be searched, or `missing` if it does not exist. A path below a file is also `missing`.
 */
function entryAt(path: string): { readonly target: string } | 'other' | 'missing' | 'hidden' {
  try {
    return lstatSync(path).isSymbolicLink() ? { target: readlinkSync(path) } : 'other'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'hidden' : 'missing'
  }
}
