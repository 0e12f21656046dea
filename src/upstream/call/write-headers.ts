import { UpstreamError } from '../../errors.ts'
import { headerValueFault } from '../../core/header-value.ts'
import { urlText } from '../../core/url-text.ts'
import type { HeaderInput } from '../spec/header-input.ts'
import { longest } from '../spec/segment.ts'
import { parseInput, type Fields } from './parse-input.ts'

/** The headers of a call, by lower-case name; `undefined` without one. */
type CallHeaders = Readonly<Record<string, string>> | undefined

/** The input of a schema that does not accept `undefined`, for a call without headers. */
const none: Fields = Object.freeze({})

/**
 * Returns the function that writes the headers in the input of a call. It omits `undefined` and `null`, and throws
 * `CALL_INPUT_INVALID` for a value that the schema refuses or that a header cannot hold.
 */
export function headerWriter(owner: string, { schema, names }: HeaderInput): (input: Fields) => CallHeaders {
  return input => {
    const { headers: given = schema._zod.optin === undefined ? none : undefined } = input
    const output = parseInput(schema, given, owner, 'headers') as Fields | undefined | null
    let headers: Record<string, string> | undefined
    for (const name of Object.keys(output ?? {})) {
      const value = (output as Fields)[name]
      if (value === undefined || value === null) continue
      const lower = names.get(name)
      if (lower === undefined)
        throw new TypeError(`${owner}: its schema of headers does not name '${name}', which it returned: add it`)
      headers ??= {}
      headers[lower] = written(name, value, owner)
    }
    return headers
  }
}

function written(name: string, value: unknown, owner: string): string {
  const text = typeof value === 'string' ? value : value instanceof Date ? undefined : urlText(value)
  if (text === undefined)
    throw new TypeError(
      `${owner}: the header '${name}' must be a string, a number or a boolean: ` +
        "transform it in the operation's headers schema",
    )
  const fault = text.length > longest ? `it has more than ${longest} characters` : headerValueFault(text)
  // The value may be a secret, so the message does not contain it.
  if (fault !== undefined) throw new UpstreamError('CALL_INPUT_INVALID', owner, { detail: `headers.${name}: ${fault}` })
  return text
}
