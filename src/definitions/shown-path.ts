import { relative } from 'node:path'

/** A path as a user would write it: from where the command was started, unless it lies elsewhere. */
export function shownPath(file: string): string {
  const short = relative('', file)
  return short === '' || short.startsWith('..') ? file : short
}
