import { fileURLToPath } from 'node:url'
import type { DefinitionFault } from './definitions-error.ts'
import { shownPath } from './shown-path.ts'

/** Says why a module could not be loaded, and in which file and line of the definitions the reason lies. */
export function importFault (error: unknown, loaded: string, files: ReadonlySet<string>): DefinitionFault {
  if (!(error instanceof Error)) return { file: shownPath(loaded), reason: `throws ${String(error)} when it is loaded` }
  const place = syntaxPlace(error) ?? importer(error) ?? thrownPlace(error, files)
  const { file = loaded, at } = place ?? {}
  const message = error.message.replaceAll(/\?headwaters=\d+/g, '').replace(/ imported from .*$/s, '')
  const isSyntax = error instanceof SyntaxError || place === undefined || !('thrown' in place)
  return { file: shownPath(file), at, reason: isSyntax ? `cannot be loaded: ${message}` : `throws when it is loaded: ${error.name}: ${message}` }
}

interface Origin { readonly file: string, readonly at?: string, readonly thrown?: true }

/** Node writes the place of a syntax error above the stack. */
function syntaxPlace ({ stack = '' }: Error): Origin | undefined {
  const [, url = '', line = ''] = /^((?:file:\/\/|\/|[A-Za-z]:\\)[^\n]*?):(\d+)\n/.exec(stack) ?? []
  return url === '' ? undefined : { file: pathOf(url), at: line }
}

/** A module that is not there is named together with who asked for it. */
function importer ({ message }: Error): Origin | undefined {
  const [, from] = / imported from (.+)$/m.exec(message) ?? []
  return from === undefined ? undefined : { file: pathOf(from) }
}

function thrownPlace ({ stack = '' }: Error, files: ReadonlySet<string>): Origin | undefined {
  for (const [, url = '', at = ''] of stack.matchAll(/^ {4}at .*?\(?((?:file:\/\/|\/|[A-Za-z]:\\)[^\n()]*?):(\d+:\d+)\)?$/gm)) {
    const file = pathOf(url)
    if (files.has(file)) return { file, at, thrown: true }
  }
  return undefined
}

function pathOf (place: string): string {
  const plain = place.replace(/\?headwaters=\d+$/, '')
  return plain.startsWith('file:') ? fileURLToPath(plain) : plain
}
