import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this package, whose own frames are not the place of a fault. */
const ownFolder = dirname(import.meta.dirname)

/** The folders of the package that have code of aggregates. */
const content = ['routes', 'clients']

/**
 * Returns the file and the line at which the code of an aggregate threw an error: `aggregates/breed.ts:12`.
 *
 * @param folder - The folder from which paths are shown; undefined for whole paths.
 * @returns Undefined for an error without a stack, and for one that no code of an aggregate has thrown.
 */
export function placeOf(error: unknown, folder: string | undefined): string | undefined {
  const { stack } = Object(error) as { readonly stack?: unknown }
  if (typeof stack !== 'string') return undefined
  for (const line of stack.split('\n')) {
    const frame = frameOf(line)
    if (frame !== undefined && !isOwn(frame.file)) return `${shown(frame.file, folder)}:${frame.line}`
  }
  return undefined
}

/** Returns the path of a file from a folder, or its whole path if it is elsewhere. */
function shown(file: string, folder: string | undefined): string {
  const path = folder === undefined ? '..' : relative(folder, file)
  return path.startsWith('..') ? file : path
}

/** Reads a line of a stack: `    at name (file:///a/b.ts:12:3)`. */
function frameOf(line: string): { readonly file: string; readonly line: string } | undefined {
  const at = line.indexOf('file://')
  const end = line.endsWith(')') ? line.length - 1 : line.length
  const column = line.lastIndexOf(':', end)
  const row = line.lastIndexOf(':', column - 1)
  if (at === -1 || row <= at) return undefined
  const url = line.slice(at, row)
  const mark = url.indexOf('?')
  try {
    return { file: fileURLToPath(mark === -1 ? url : url.slice(0, mark)), line: line.slice(row + 1, column) }
  } catch {
    return undefined
  }
}

function isOwn(file: string): boolean {
  const path = relative(ownFolder, file)
  return !path.startsWith('..') && !content.some(folder => path.startsWith(folder))
}
