import { Problem, UpstreamError } from '../errors.ts'
import type { Call } from '../upstream/call/call.ts'
import { placeOf } from './error-place.ts'
import type { TemplateBook } from './template-book.ts'

export interface NoteSettings {
  readonly book: TemplateBook
  /** True if notes may have the message of an error, which may have data. */
  readonly showsMessages: boolean
  /** The folder from which the paths of notes are shown; undefined for whole paths. */
  readonly folder: string | undefined
}

/** The largest number of templates in one note. */
const mostTemplates = 3

/** The characters with which a field, an item and the result of a call begin. */
const partStarts = '.[('

/** Returns the note of a step whose function has thrown, or has made a call that is refused. */
export function failureNote(error: unknown, settings: NoteSettings): string {
  const { book, showsMessages, folder } = settings
  if (error instanceof Problem && error.code === 'REFUSED') return `answers ${error.statusCode} for this input`
  if (error instanceof UpstreamError)
    return `fails with ${error.code}${showsMessages ? `: ${error.message}` : ` (${error.source})`}${readNote(book)}`
  const place = placeOf(error, folder)
  return [
    `cannot be shown: its function failed: ${nameOf(error, showsMessages)}`,
    ...(place === undefined ? [] : [` at ${place}`]),
    readNote(book),
  ].join('')
}

/** Returns the end of a note about a failure that a value which is not known may have caused. */
function readNote(book: TemplateBook): string {
  const [read] = book.comparisons
  return read === undefined ? '' : `; it read {${read}}`
}

function nameOf(error: unknown, showsMessage: boolean): string {
  const { name, message } = Object(error) as Partial<Error>
  if (typeof name !== 'string') return 'an error'
  return showsMessage && typeof message === 'string' ? `${name}: ${message}` : name
}

/** Returns a note if the present function used values that are not known for something else than its calls. */
export function comparisonNotes(calls: readonly Call<unknown>[], book: TemplateBook): string[] {
  const sent = new Set([...calls.flatMap(call => book.templatesIn(textsOf(call))), ...book.written])
  const shown: string[] = []
  for (const template of book.comparisons) {
    if (shown.length === mostTemplates) break
    if (!isPartOf(template, sent)) shown.push(`{${template}}`)
  }
  return shown.length === 0 ? [] : [`may differ: the function also read ${shown.join(', ')}`]
}

/** Returns whether a template is one of these, or a field, an item or a result of one: `found.id` of `found`. */
function isPartOf(template: string, wholes: ReadonlySet<string>): boolean {
  if (wholes.has(template)) return true
  for (let end = 0; end < template.length; end++)
    if (partStarts.includes(template.charAt(end)) && wholes.has(template.slice(0, end))) return true
  return false
}

/** Returns the texts of a call that may have a token. */
function textsOf({ path, body, headers }: Call<unknown>): string {
  return [path, ...Object.values(headers ?? {}), ...(typeof body === 'string' ? [body] : [])].join(' ')
}
