import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { pathForms, queryForms, writerOf, type TargetForms } from '../../../src/upstream/call/target.ts'
import type { Fields } from '../../../src/upstream/call/parse-input.ts'
import type { OperationSpec } from '../../../src/upstream/spec/spec.ts'
import { parseTemplate } from '../../../src/upstream/spec/template.ts'
import { field, objectOf } from '../../helpers/field-schemas.ts'
import { operationTemplates } from '../../helpers/templates.ts'

function specOf(path: string, auth?: { readonly query: string }): OperationSpec {
  return { name: 'cats.find', template: parseTemplate(path, 'cats.find'), upstream: { auth } } as OperationSpec
}

const parameterNames = (path: string) => parseTemplate(path, 'cats.find').names

/** Returns the text, or the reason of the refusal. */
function outcomeOf(write: () => string): string {
  try {
    return `text ${write()}`
  } catch (error) {
    const { name, code, message } = error as Error & { readonly code?: string }
    return `${name} ${code ?? ''} ${message}`
  }
}

/** Throws if the compiled form does not return the text of the plain form. Returns whether it returned a text. */
function compare(forms: TargetForms, input: Fields): boolean {
  const { plain } = forms
  const expected = outcomeOf(() => plain(input))
  const compiled = forms.compile()
  const text = compiled?.(input)
  if (text !== undefined && expected !== `text ${text}`) throw new Error(`compiled: ${text}, plain: ${expected}`)
  const write = writerOf(forms)
  for (const time of ['first', 'second']) {
    const outcome = outcomeOf(() => write(input))
    if (outcome !== expected) throw new Error(`${time} call: ${outcome}, plain: ${expected}`)
  }
  return text !== undefined
}

const hostile = ['..', '.', '%2e', '%2E%2e', '/', '\\', '\ud800', '\udc00', '', '\0', ' ', '\u00e9', '\uff0e', '&', '=']
const text = fc.oneof(
  fc.constantFrom(...hostile, 'a', 'siamese', 'maine coon', 'ko\u010dka', '1', 'a.b'),
  fc.array(fc.constantFrom(...hostile, 'a', '1', '.', "'", '(', '+', '~'), { maxLength: 4 }).map(each => each.join('')),
  fc.array(fc.constantFrom('a', 'b c', "'", '..', ''), { minLength: 2, maxLength: 3 }).map(each => each.join('/')),
  fc.string({ unit: 'binary', maxLength: 6 }),
)
const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 2, arbitrary: fc.integer() },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(
      undefined,
      null,
      true,
      0,
      -0,
      1.5,
      -13.4,
      1e21,
      1e-7,
      2 ** 60,
      Number.NaN,
      Infinity,
      7n,
      2n ** 70n,
      new Date(0),
      new Date(Number.NaN),
      {},
    ),
  },
  { weight: 1, arbitrary: fc.array(text, { maxLength: 3 }) },
)

const input = (names: readonly string[]) =>
  fc
    .tuple(fc.array(value, { minLength: names.length, maxLength: names.length }), fc.nat(12), fc.boolean())
    .map(([values, odd, isMore]) => {
      const fields = Object.fromEntries(names.map((name, at) => [name, values[at]]).filter((_, at) => at + 1 !== odd))
      if (isMore) fields['more'] = 'x'
      if (odd === 11) return Object.assign(Object.create({ q: 'inherited' }), fields) as Fields
      return odd === 12 ? (Object.assign(Object.create(null), fields) as Fields) : fields
    })

test('a compiled path equals the plain path, for random templates, schemas and hostile values', t => {
  let compiled = 0
  const sample = operationTemplates.chain(path => {
    const names = parameterNames(path)
    return fc.tuple(
      fc.constant(path),
      fc.array(field, { minLength: names.length + 1, maxLength: names.length + 1 }),
      fc.nat(7),
      fc.boolean(),
      fc.boolean(),
      input(names),
    )
  })
  fc.assert(
    fc.property(sample, ([path, fields, kind, isShared, hasMore, given]) => {
      const names = parameterNames(path)
      const shape = Object.fromEntries(names.map((name, at) => [name, fields[at] as z.ZodType]))
      if (hasMore) shape['more'] = fields.at(-1) as z.ZodType
      if (compare(pathForms(specOf(path), objectOf(shape, kind), isShared), given)) compiled++
    }),
    { numRuns: 2000 },
  )
  t.ok(compiled > 50, `${compiled} of 2000 were compiled`)
  t.end()
})

test('a compiled path of texts equals the plain path, so that nothing climbs', t => {
  let compiled = 0
  fc.assert(
    fc.property(operationTemplates, fc.array(text, { minLength: 12, maxLength: 12 }), (path, values) => {
      const names = parameterNames(path)
      const schema = z.object(Object.fromEntries(names.map(name => [name, z.string()])))
      const given = Object.fromEntries(names.map((name, at) => [name, values[at]]))
      if (compare(pathForms(specOf(path), schema, false), given)) compiled++
    }),
    { numRuns: 2000 },
  )
  t.ok(compiled > 300, `${compiled} of 2000 were compiled`)
  t.end()
})

test('a compiled path of several segments equals the plain path and keeps the slashes', t => {
  const schema = z.object({ path: z.string(), id: z.union([z.string(), z.number()]) })
  for (const path of ['/files/{path+}/{id}', '/files/{path+}/v{id}', '/files/{id}/{path+}']) {
    const forms = pathForms(specOf(path), schema, false)
    const compiled = forms.compile()
    t.equal(compiled?.({ path: 'src/a b', id: 7 }), path.replace('{path+}', 'src/a%20b').replace('{id}', '7'))
    for (const each of [
      '',
      '/',
      'a/',
      '/a',
      'a//b',
      'a/../b',
      '..',
      'a/%2e%2e',
      '..%2fa',
      'a\\b',
      'a/b\0',
      'a/'.repeat(9000),
    ]) {
      t.equal(compiled?.({ path: each, id: 7 }), undefined, each.slice(0, 10))
      t.notOk(compare(forms, { path: each, id: 7 }), each.slice(0, 10))
    }
  }
  t.end()
})

const names = ['q', 'a b', '10', '\ud800', 'key', 'toString', '__proto__', 'lang', '"+\\', 'x[]']

test('a compiled query equals the plain query, for random schemas and hostile names and values', t => {
  let compiled = 0
  const sample = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }).chain(own =>
    fc.tuple(
      fc
        .array(
          fc.tuple(field, fc.boolean()).map(([each, isOptional]) => (isOptional ? each.optional() : each)),
          { minLength: own.length, maxLength: own.length },
        )
        .map(fields => Object.fromEntries(own.map((name, at) => [name, fields[at] as z.ZodType]))),
      fc.nat(7),
      fc.boolean(),
      fc.boolean(),
      input(own),
    ),
  )
  fc.assert(
    fc.property(sample, ([shape, kind, isShared, isReserved, given]) => {
      const spec = specOf('/', isReserved ? { query: 'key' } : undefined)
      if (compare(queryForms(spec, objectOf(shape, kind), isShared), given)) compiled++
    }),
    { numRuns: 3000 },
  )
  t.ok(compiled > 100, `${compiled} of 3000 were compiled`)
  t.end()
})
