import { relative } from 'node:path'
import { startFolder } from './start-folder.ts'

/** A path as a user would write it: from where the command was started, unless it lies elsewhere. */
export function shownPath(file: string): string {
  const short = relative(startFolder, file)
  return short === '' || short.startsWith('..') ? file : short
}
