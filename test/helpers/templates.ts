import fc from 'fast-check'
import { parameterNames } from '../../src/http/routing/path-template.ts'
import { fillTemplate, parseTemplate } from '../../src/upstream/spec/template.ts'

const plain = ['a', 'b', '2', '2C', 'C', '-', '.', '_', '~', '!', "'", '(', ')']
const unencodedReserved = [',', ':', ';', '@', '+', '=', '&', '$', '::']
const encoded = ['%C3%A9', '%c3%a9', '%20', '%25', '%2A', '%41', '%F0%9F%90%B1']
const encodedReserved = ['%2C', '%3a', '%2F', '%3F', '%23']
const literal = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...plain) },
      { weight: 4, arbitrary: fc.constantFrom(...unencodedReserved) },
      { weight: 1, arbitrary: fc.constantFrom(...encoded) },
      { weight: 1, arbitrary: fc.constantFrom(...encodedReserved) },
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map(each => each.join(''))

/** A segment: literals and `{}`, with text between two parameters. */
const segment = fc.oneof(
  fc.constant('{}'),
  literal,
  fc
    .tuple(fc.option(literal, { nil: '' }), fc.array(literal, { maxLength: 2 }), fc.option(literal, { nil: '' }))
    .map(([before, between, after]) => `${before}{}${between.map(each => `${each}{}`).join('')}${after}`),
)

function isTemplate(path: string): boolean {
  try {
    parseTemplate(path, 'x')
    return true
  } catch {
    return false
  }
}

/** Path templates with parameters `p0`, `p1` and so on. */
export const templates = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map(each => {
    let count = 0
    return `/${each.join('/')}`.replaceAll('{}', () => `{p${count++}}`)
  })
  .filter(isTemplate)

/** Path templates of operations: some of the names that are whole segments stand for several segments. */
export const operationTemplates = fc
  .tuple(templates, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
  .map(([path, several]) =>
    path
      .split('/')
      .map((part, at) => (several[at - 1] === true && /^\{\w+\}$/.test(part) ? part.replace('}', '+}') : part))
      .join('/'),
  )

const value = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
    fc
      .array(fc.constantFrom(...plain, ...unencodedReserved, 'é', '/', '%', '%2C', '%41', ' ', '?', '\u{1f431}'), {
        minLength: 1,
        maxLength: 5,
      })
      .map(each => each.join('')),
  )
  .map(each => each.toWellFormed())

/** Values for the parameters of any of the templates. */
export const valueLists = fc.array(value, { minLength: 12, maxLength: 12 })

/** Returns a template filled with values, or nothing if they are refused as the caller's input. */
export function fillWith(path: string, values: readonly string[]): string | undefined {
  try {
    const params = Object.fromEntries(parameterNames(path).map((name, index) => [name, values[index]]))
    return fillTemplate(parseTemplate(path, 'x'), params, 'x')
  } catch (error) {
    if ((error as { code?: string }).code === 'CALL_INPUT_INVALID') return undefined
    throw error
  }
}
