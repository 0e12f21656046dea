import { ignoreRejection } from '../../../core/promises.ts'
import { urlText } from '../../../core/url-text.ts'
import { entriesOf } from './body-entries.ts'

/**
 * Writes the fields of a form (WHATWG URL, section 5.2). `undefined` and `null` are omitted. A list repeats its name.
 *
 * @throws {TypeError} for a value without a text form
 */
export function writeForm(value: unknown, owner: string): string {
  const form = new URLSearchParams()
  for (const [name, item] of entriesOf(value, owner)) {
    const text = urlText(item)
    if (text === undefined) {
      ignoreRejection(item)
      throw new TypeError(
        `${owner}: the field '${name}' of its form must be a string, a number, a boolean or a date: ` +
          `transform it in the operation's body schema`,
      )
    }
    form.append(name, text)
  }
  return form.toString()
}
