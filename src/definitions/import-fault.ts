import { inspect } from 'node:util'
import { DefinitionsError, type DefinitionFault } from './definitions-error.ts'
import { fileOf, withoutGenerations } from './module-url.ts'
import { ownFolder } from './own-modules.ts'
import { shownPath } from './shown-path.ts'

/**
 * Returns the fault of a module that cannot be loaded. It has the file and the line in the definitions, if known.
 *
 * @throws A `DefinitionsError` unchanged: it ends the load.
 */
export function importFault(error: unknown, loaded: string, files: ReadonlySet<string>): DefinitionFault {
  if (error instanceof DefinitionsError) throw error
  if (!(error instanceof Error))
    return { file: shownPath(loaded), reason: `throws ${inspect(error)} when it is loaded` }
  const missing = missingReason(error, files)
  if (missing !== undefined) return { file: shownPath(loaded), reason: missing }
  const position = syntaxPosition(error) ?? importerPosition(error) ?? thrownPosition(error, files)
  const { file = loaded, at } = position ?? {}
  const message = withoutGenerations(String(error.message)).replace(/ imported from .*$/s, '')
  const isSyntax = error instanceof SyntaxError || position === undefined || !('thrown' in position)
  return {
    file: shownPath(file),
    at,
    reason: isSyntax ? `cannot be loaded: ${message}` : `throws when it is loaded: ${String(error.name)}: ${message}`,
  }
}

/** Returns the reason if a file that Headwaters itself loads is missing, or is a folder. */
function missingReason(error: Error, files: ReadonlySet<string>): string | undefined {
  const { file: importer } = importerPosition(error) ?? {}
  if (importer === undefined || files.has(importer) || !importer.startsWith(ownFolder)) return undefined
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ERR_UNSUPPORTED_DIR_IMPORT') return 'is a folder: name one file'
  return code === 'ERR_MODULE_NOT_FOUND' ? 'no such file: restore it, or name another file' : undefined
}

interface ErrorPosition {
  readonly file: string
  readonly at?: string
  readonly thrown?: true
}

/** Returns the position of a syntax error. Node.js writes it above the stack. */
function syntaxPosition(error: Error): ErrorPosition | undefined {
  const [, url = '', line = ''] = /^((?:file:\/\/|\/|[A-Za-z]:\\)[^\n]*?):(\d+)\n/.exec(stackOf(error)) ?? []
  return url === '' ? undefined : { file: pathOf(url), at: line }
}

/** Returns the file that imports a missing module. The error message names it. */
function importerPosition({ message }: Error): ErrorPosition | undefined {
  const [, from] = / imported from (.+)$/m.exec(String(message)) ?? []
  return from === undefined ? undefined : { file: pathOf(from) }
}

function thrownPosition(error: Error, files: ReadonlySet<string>): ErrorPosition | undefined {
  for (const [, url = '', at = ''] of stackOf(error).matchAll(
    /^ {4}at .*?\(?((?:file:\/\/|\/|[A-Za-z]:\\)[^\n()]*?):(\d+:\d+)\)?$/gm,
  )) {
    const file = pathOf(url)
    if (files.has(file)) return { file, at, thrown: true }
  }
  return undefined
}

/** Returns the stack. Returns an empty text if a module has set the stack to another type. */
function stackOf({ stack }: Error): string {
  return typeof stack === 'string' ? stack : ''
}

function pathOf(url: string): string {
  return fileOf(url) ?? url
}
